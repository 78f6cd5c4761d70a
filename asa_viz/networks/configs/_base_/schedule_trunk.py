"""The first stage: the backbone learns under a plain head, without attention."""

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.1)}),
    clip_grad=dict(max_norm=5.0),
)
train_cfg = dict(type="IterBasedTrainLoop", max_iters=600, val_interval=600)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, begin=0, end=60, by_epoch=False),
    dict(type="PolyLR", power=0.9, eta_min=2e-5, begin=60, end=600, by_epoch=False),
]
