"""Hooks for mmengine's Runner."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from mmengine.dataset import pseudo_collate
from mmengine.dist import broadcast
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor, nn

from asa_viz.networks.capture import calls_of
from asa_viz.networks.weights import save_weights

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
        save_weights(checkpoint["state_dict"], Path(runner.work_dir, WEIGHTS_FILE))


@HOOKS.register_module()
class StartAttention(Hook):
    """Before the first step, give the block of attention queries and keys that mean something.

    Started as in mmsegmentation, small, apart, and behind a gain of zero, queries and keys get next
    to no gradient; an adaptive optimiser then turns its noise into growth, all queries end up
    alike, and every pixel attends to the same few others. Here both start as one random projection
    of the centred features, so that an affinity is a likeness from the first step, scaled so that
    the similarities spread by `spread`, and the gain starts at one. docs/decisions/0002 tells more.
    """

    def __init__(self, spread: float = 2.0) -> None:
        self.spread = spread

    def before_train(self, runner: Runner) -> None:
        """Set the block's projections by the features of a few crops, unless resumed."""
        if runner.iter > 0:
            return
        network = runner.model.module if is_model_wrapper(runner.model) else runner.model
        dataset = runner.train_dataloader.dataset
        # Not from the loader: a second iterator would end that of the training loop.
        batch = pseudo_collate([dataset[i] for i in range(0, len(dataset), len(dataset) // 8)])
        data = network.data_preprocessor(batch, training=True)
        block = network.decode_head.nl_block
        # As in a step: a frozen backbone knows only from `train` that its statistics are to stay.
        network.train()
        with torch.no_grad(), calls_of(network.decode_head, ["nl_block"]) as seen:
            network.decode_head(network.extract_feat(data["inputs"]))
        start_attention(block, seen["nl_block"][0].inputs[0], self.spread)
        for parameter in block.parameters():
            # Processes see different batches; all start as the first one.
            broadcast(parameter.data)


@torch.no_grad()
def start_attention(block: Any, x: Float[Tensor, "b c h w"], spread: float) -> None:
    """Make `theta` and `phi` one random projection of centred `x`; draw `g` anew; open the gain.

    The similarities of all maps together spread by `spread`. mmcv draws values with a deviation of
    0.01, which an adaptive optimiser overwrites in its first steps; here they start as those of
    any convolution.
    """
    cells = x.permute(0, 2, 3, 1).flatten(0, 2)
    centre = cells.mean(0)
    weight = block.theta.conv.weight.flatten(1)
    nn.init.orthogonal_(weight)
    projected = ((cells - centre) @ weight.mT).unflatten(0, (len(x), -1))
    similarity = projected @ projected.mT * (len(weight) ** -0.5 if block.use_scale else 1)
    weight *= (spread / similarity.std()).sqrt()
    for part in (block.theta, block.phi):
        part.conv.weight.copy_(weight.view_as(part.conv.weight))
        part.conv.bias.copy_(-weight @ centre)
    nn.init.kaiming_uniform_(block.g.conv.weight, a=5**0.5)
    nn.init.ones_(block.conv_out.norm.weight)
