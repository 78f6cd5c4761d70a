"""The first stage, from ImageNet weights: the dense network learns its affinities."""

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.4)}),
    clip_grad=dict(max_norm=5.0),
)
train_cfg = dict(type="IterBasedTrainLoop", max_iters=1100, val_interval=550)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, begin=0, end=60, by_epoch=False),
    dict(type="PolyLR", power=0.9, eta_min=5e-5, begin=60, end=1100, by_epoch=False),
]
