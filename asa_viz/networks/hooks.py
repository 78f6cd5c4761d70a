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
    """Hook that saves the weights alone as safetensors beside each checkpoint.

    mmengine's checkpoints are pickles that contain code, for resuming a run; this file is the one
    to pass on. With EMAHook it holds the averaged weights.
    """

    priority = "LOW"

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Write the weights that are about to be saved; replaces the earlier file atomically."""
        save_weights(checkpoint["state_dict"], Path(runner.work_dir, WEIGHTS_FILE))


@HOOKS.register_module()
class StartAttention(Hook):
    """Hook that initialises the attention block's queries and keys before the first step.

    With mmsegmentation's initialisation (small, independent, behind a gain of zero) queries and
    keys get almost no gradient; an adaptive optimiser amplifies its noise, all queries become
    similar, and every pixel attends to the same few others. Here both start as the same random
    projection of the centred features, so that affinity is similarity from the first step. It is
    scaled so that similarities have the deviation `spread`, and the gain starts at one; see
    docs/decisions/0002.
    """

    def __init__(self, spread: float = 2.0) -> None:
        self.spread = spread

    def before_train(self, runner: Runner) -> None:
        """Initialise the block's projections from the features of a few crops, unless resumed."""
        if runner.iter > 0:
            return
        network = runner.model.module if is_model_wrapper(runner.model) else runner.model
        dataset = runner.train_dataloader.dataset
        # Not from the loader: a second iterator would end the training loop's.
        batch = pseudo_collate([dataset[i] for i in range(0, len(dataset), len(dataset) // 8)])
        data = network.data_preprocessor(batch, training=True)
        block = network.decode_head.nl_block
        # A frozen backbone keeps its batch statistics fixed only after `train` was called.
        network.train()
        with torch.no_grad(), calls_of(network.decode_head, ["nl_block"]) as seen:
            network.decode_head(network.extract_feat(data["inputs"]))
        start_attention(block, seen["nl_block"][0].inputs[0], self.spread)
        for parameter in block.parameters():
            # Processes see different batches; all take the first one's projections.
            broadcast(parameter.data)


@torch.no_grad()
def start_attention(block: Any, x: Float[Tensor, "b c h w"], spread: float) -> None:
    """Set `theta` and `phi` to one random projection, redraw `g`, set the gain to one.

    Similarities over all maps get the deviation `spread`. mmcv initialises values with a deviation
    of 0.01, which an adaptive optimiser overwrites in its first steps; here they start as in any
    convolution.
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
