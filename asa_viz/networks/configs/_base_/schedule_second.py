"""The second stage, from the dense network: the same few steps for every twin."""

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=3e-4, weight_decay=0.01),
    # Queries and keys start as a likeness of features and shall be refined, not lost.
    paramwise_cfg=dict(
        custom_keys={
            "backbone": dict(lr_mult=0.4),
            "nl_block.theta": dict(lr_mult=0.3),
            "nl_block.phi": dict(lr_mult=0.3),
        }
    ),
    clip_grad=dict(max_norm=5.0),
)
train_cfg = dict(type="IterBasedTrainLoop", max_iters=200, val_interval=200)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, begin=0, end=20, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=1e-5, begin=20, end=200, by_epoch=False),
]
