"""First stage for resnet50 on CamVid; `nonlocal_` and `asa_resnet50_camvid` go on from it."""

_base_ = [
    "./_base_/resnet50.py",
    "./_base_/camvid.py",
    "./_base_/schedule_dense.py",
    "./_base_/runtime.py",
]
model = dict(decode_head=dict(use_scale=False))
