"""MobileNetV2 at output stride 8 under a non-local head of 256 channels."""

norm_cfg = dict(type="BN", requires_grad=True)
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(256, 256),
    ),
    backbone=dict(
        type="MobileNetV2",
        strides=(1, 2, 2, 1, 1, 1, 1),
        dilations=(1, 1, 1, 2, 2, 4, 4),
        out_indices=(1, 2, 4, 6),
        frozen_stages=2,
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(
        type="NLHead",
        in_channels=320,
        in_index=3,
        channels=256,
        reduction=2,
        use_scale=True,
        mode="embedded_gaussian",
        dropout_ratio=0.1,
        num_classes=11,
        norm_cfg=norm_cfg,
        align_corners=False,
        # 1 / log(1.1 + share of the class), scaled to a mean of one: rare classes count more.
        loss_decode=dict(
            type="CrossEntropyLoss",
            class_weight=[
                0.586, 0.485, 1.338, 0.400, 1.030, 0.774,
                1.316, 1.321, 0.946, 1.379, 1.423,
            ],
        ),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode="whole"),
)  # fmt: skip
