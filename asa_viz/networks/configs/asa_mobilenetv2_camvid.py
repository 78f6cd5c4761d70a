"""Second stage on CamVid, from `fcn_mobilenetv2_camvid`, whose backbone stays as it is."""

_base_ = ["./_base_/camvid.py", "./_base_/schedule_head.py", "./_base_/runtime_head.py"]
model = dict(
    backbone=dict(frozen=True),
    decode_head=dict(
        type="ASAHead",
        channels=128,
        reduction=2,
        read_only=True,
        support_target=0.1,
        local_target=0.7,
    ),
)
