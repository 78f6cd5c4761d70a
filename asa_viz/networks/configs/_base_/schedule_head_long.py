"""The second stage where rare classes are shown more often: longer, else the same."""

_base_ = "./schedule_head.py"
train_cfg = dict(max_iters=500, val_interval=500)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, begin=0, end=20, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=1e-5, begin=20, end=500, by_epoch=False),
]
