"""Second stage for mobilenetv2 on CamVid, from `dense_mobilenetv2_camvid`."""

_base_ = [
    "./_base_/mobilenetv2.py",
    "./_base_/camvid.py",
    "./_base_/schedule_second.py",
    "./_base_/runtime_second.py",
]
model = dict(decode_head=dict(type="ASAHead", support_target=0.1))
