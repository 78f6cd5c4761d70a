"""CamVid, 480 x 360: random crops to train on, whole frames to choose by."""

_base_ = "./deeplab_mobilenetv2.py"
crop_size = (256, 256)
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations"),
    dict(type="RandomResize", scale=(480, 360), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=0.75),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PhotoMetricDistortion"),
    dict(type="PackSegInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations"),
    dict(type="PackSegInputs"),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(
        type="CamVid",
        data_root="data/camvid",
        data_prefix=dict(img_path="images/train", seg_map_path="annotations/train"),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CamVid",
        data_root="data/camvid",
        data_prefix=dict(img_path="images/val", seg_map_path="annotations/val"),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="IoUMetric", iou_metrics=["mIoU"])
test_evaluator = val_evaluator
model = dict(
    data_set="camvid",
    data_preprocessor=dict(size=crop_size),
    decode_head=dict(
        num_classes=11,
        # 1 / log(1.1 + share of the class), scaled to a mean of one: rare classes count more.
        loss_decode=dict(
            type="CrossEntropyLoss",
            # With weights of classes the labelled pixels alone are counted.
            class_weight=[
                0.586, 0.485, 1.338, 0.400, 1.030, 0.774,
                1.316, 1.321, 0.946, 1.379, 1.423,
            ],
        ),
    ),
)  # fmt: skip
