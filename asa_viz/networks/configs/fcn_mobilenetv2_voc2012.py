"""First stage on VOC 2012, from a backbone trained on COCO and VOC; no attention anywhere.

The backbone knows these classes and moves a little only: ten times the rate for six times as many
steps made its cells agree on a class by themselves, and attention behind it was not needed.
"""

_base_ = ["./_base_/voc2012.py", "./_base_/schedule_trunk.py", "./_base_/runtime.py"]
model = dict(
    decode_head=dict(type="FCNHead", channels=256, num_convs=1, concat_input=False),
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.01)}))
train_cfg = dict(max_iters=100, val_interval=100)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, begin=0, end=20, by_epoch=False),
    dict(type="PolyLR", power=0.9, eta_min=2e-5, begin=20, end=100, by_epoch=False),
]
