"""Second stage on things and stuff outdoors, behind the backbone of `fcn_mobilenetv2_voc2012`."""

_base_ = ["./_base_/outdoor.py", "./_base_/schedule_head_long.py", "./_base_/runtime_head.py"]
model = dict(
    backbone=dict(frozen=True),
    decode_head=dict(type="NonLocalHead", channels=128, reduction=2, read_only=True),
)
