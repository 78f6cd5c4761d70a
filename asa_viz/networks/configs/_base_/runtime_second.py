"""The second stage's runs: as the first's, with a block of attention that starts anew."""

_base_ = "./runtime.py"
custom_hooks = [
    dict(type="EMAHook", momentum=0.01, update_buffers=True, priority="ABOVE_NORMAL"),
    dict(type="SaveWeights"),
    # Before EMAHook copies the weights it averages.
    dict(type="StartAttention", spread=1.0, priority="HIGH"),
]
