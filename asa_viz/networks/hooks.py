"""Hooks for mmengine's Runner."""

import os
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from safetensors.torch import save_file

WEIGHTS_FILE = "weights.safetensors"


@HOOKS.register_module()
class SaveWeights(Hook):
    """Beside each checkpoint keep the weights alone, as safetensors, in the work dir.

    mmengine's checkpoints are pickles with code in them, for resuming one's own run; what is passed
    on to a next stage or to others is this file. With EMAHook these are the averaged weights.
    """

    priority = "LOW"

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Write the weights that are about to be saved; replace the earlier file at once."""
        path = Path(runner.work_dir, WEIGHTS_FILE)
        part = path.with_suffix(".part")
        save_file({k: v.contiguous() for k, v in checkpoint["state_dict"].items()}, part)
        os.replace(part, path)
