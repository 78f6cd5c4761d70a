"""The second stage's runs: as the first's, with the start of the block of attention."""

_base_ = "./runtime.py"
custom_hooks = [
    dict(type="EMAHook", momentum=0.01, update_buffers=True, priority="ABOVE_NORMAL"),
    dict(type="SaveWeights"),
    # Before EMAHook copies the weights it averages.
    dict(type="StartAttention", spread=2.0, priority="HIGH"),
]
