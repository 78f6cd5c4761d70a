"""First stage on CamVid, from a backbone trained on COCO and VOC; no attention anywhere."""

_base_ = ["./_base_/camvid.py", "./_base_/schedule_trunk.py", "./_base_/runtime.py"]
model = dict(
    decode_head=dict(type="FCNHead", channels=256, num_convs=1, concat_input=False),
)
# Streets look different from what the backbone has seen: it may move further, and longer.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.25)}))
train_cfg = dict(max_iters=1000, val_interval=1000)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, begin=0, end=60, by_epoch=False),
    dict(type="PolyLR", power=0.9, eta_min=2e-5, begin=60, end=1000, by_epoch=False),
]
