"""Second stage on VOC 2012, from `fcn_mobilenetv2_voc2012`, whose backbone stays as it is."""

_base_ = ["./_base_/voc2012.py", "./_base_/schedule_head_long.py", "./_base_/runtime_head.py"]
model = dict(
    backbone=dict(frozen=True),
    decode_head=dict(type="NonLocalHead", channels=128, reduction=2, read_only=True),
)
