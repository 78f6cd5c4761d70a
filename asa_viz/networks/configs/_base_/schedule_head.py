"""The second stage: the same steps for every twin."""

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=5.0),
)
train_cfg = dict(type="IterBasedTrainLoop", max_iters=300, val_interval=300)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, begin=0, end=20, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=1e-5, begin=20, end=300, by_epoch=False),
]
