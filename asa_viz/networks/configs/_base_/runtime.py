"""What every run shares: logging, checkpoints and an average of the weights."""

default_scope = "mmseg"
custom_imports = dict(imports=["asa_viz.networks"], allow_failed_imports=False)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)
log_processor = dict(by_epoch=False, window_size=50)
randomness = dict(seed=0)
default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=20, log_metric_by_epoch=False),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=100, max_keep_ckpts=2),
    sampler_seed=dict(type="DistSamplerSeedHook"),
)
# Validation and the saved weights use the average; training goes on with the raw weights.
custom_hooks = [
    dict(type="EMAHook", momentum=0.01, update_buffers=True, priority="ABOVE_NORMAL"),
    dict(type="SaveWeights"),
]
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
