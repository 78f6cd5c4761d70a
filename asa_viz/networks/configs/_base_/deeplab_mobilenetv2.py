"""MobileNetV2 with DeepLab's dilation at output stride 8; what its heads have in common."""

norm_cfg = dict(type="BN", requires_grad=True)
model = dict(
    type="DistilledEncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type="DeepLabMobileNetV2",
        strides=(1, 2, 2, 1, 1, 1, 1),
        dilations=(1, 1, 1, 1, 2, 2, 4),
        later_dilations=(1, 1, 1, 2, 2, 4, 4),
        out_indices=(4, 6),
        norm_cfg=norm_cfg,
        norm_eval=True,
    ),
    decode_head=dict(
        in_channels=320,
        in_index=1,
        dropout_ratio=0.1,
        norm_cfg=norm_cfg,
        align_corners=False,
    ),
    train_cfg=dict(),
    test_cfg=dict(mode="whole"),
)
