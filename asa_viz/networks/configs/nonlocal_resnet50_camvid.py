"""Second stage for resnet50 on CamVid, from `dense_resnet50_camvid`."""

_base_ = [
    "./_base_/resnet50.py",
    "./_base_/camvid.py",
    "./_base_/schedule_second.py",
    "./_base_/runtime_second.py",
]
