"""Blocks and heads that use gates of channels instead of a matrix over cells.

Each block's output is rebuilt from its gates. DANet's channel branch belongs to the head `danet`.
"""

import math
from typing import Any

import torch
from jaxtyping import Float
from mmseg.registry import MODELS
from torch import Tensor, nn

from asa_viz.catalogue import METHODS
from asa_viz.networks.capture import Seen
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading

# SKNet and ResNeSt squeeze to 32 of 512 channels; the blocks here have 64.
NARROWEST = 4


def squeezed(channels: int, ratio: int) -> int:
    """Return the channels divided by the ratio, at least NARROWEST."""
    return max(channels // ratio, NARROWEST)


@MODELS.register_module()
class SqueezeExcitationBlock(nn.Module):
    """A gate for each channel from the means of all.

    Hu, Shen, Sun: Squeeze-and-Excitation Networks, arXiv 1709.01507.
    """

    def __init__(self, channels: int, ratio: int = 16) -> None:
        super().__init__()
        width = squeezed(channels, ratio)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the channels of `x`, each times its gate."""
        return x * self.gate(x)


@MODELS.register_module()
class EfficientChannelBlock(nn.Module):
    """A gate for each channel from the means of its neighbours in the order of channels.

    Wang, Wu, Zhu, Li, Zuo, Hu: ECA-Net: Efficient Channel Attention for Deep Convolutional Neural
    Networks, arXiv 1910.03151. The convolution's length grows with the logarithm of the channels.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        length = int((math.log2(channels) + 1) / 2) | 1
        self.along = nn.Conv1d(1, 1, length, padding=length // 2, bias=False)
        self.gate = nn.Sigmoid()

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the channels of `x`, each times its gate."""
        means = x.mean((2, 3))
        return x * self.gate(self.along(means[:, None])[:, 0])[..., None, None]


def read_channels(head: Any, seen: Seen) -> Reading:
    """Read the one gate of each channel."""
    return Reading(gates={"channels": seen["block.gate"][0].output.flatten()[None]})


def rebuilt_channels(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output: its input times the gates."""
    (x,), output, _ = seen["block"][0]
    return x * reading.gates["channels"][0][:, None, None], output


@MODELS.register_module()
class SelectiveKernelBlock(nn.Module):
    """Two convolutions, one dilated, between which a softmax chooses for each channel.

    Li, Wang, Hu, Yang: Selective Kernel Networks, arXiv 1903.06586: two branches in 32 groups, the
    one of 5 x 5 as 3 x 3 with dilation 2, a sixteenth of the channels where they are compared. The
    logits have a bias for each channel, which the released code lacks.
    """

    def __init__(self, channels: int, groups: int = 32, ratio: int = 16) -> None:
        super().__init__()
        width, groups = squeezed(channels, ratio), math.gcd(groups, channels)
        self.branches = nn.ModuleList(
            rectified(channels, channels, 3, padding=dilation, dilation=dilation, groups=groups)
            for dilation in (1, 2)
        )
        self.choose = choice(channels, width, len(self.branches))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the branches' sum, each channel weighed by its choice between them."""
        return _chosen(torch.stack([branch(x) for branch in self.branches], 1), self.choose)


def rebuilt_selective_kernel(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output: the branches times their gates."""
    branches = [seen[f"block.branches.{i}"][0].output for i in range(len(head.block.branches))]
    return _weighed(torch.cat(branches), reading), seen["block"][0].output


@MODELS.register_module()
class SplitAttentionBlock(nn.Module):
    """A convolution into splits, between which a softmax chooses for each channel.

    Zhang, Wu, Zhang, Zhu, Lin, Zhang, Sun, He, Mueller, Manmatha, Li, Smola: ResNeSt:
    Split-Attention Networks, arXiv 2004.08955: one group of two splits, as released. It is
    mmsegmentation's layer, less the constants that its normalisation takes away again.
    """

    def __init__(self, channels: int, radix: int = 2, ratio: int = 4) -> None:
        super().__init__()
        self.radix = radix
        self.splits = rectified(channels, radix * channels, 3, padding=1, groups=radix)
        self.choose = choice(channels, squeezed(channels * radix, ratio), radix)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the splits' sum, each channel weighed by its choice between them."""
        return _chosen(self.splits(x).unflatten(1, (self.radix, -1)), self.choose)


def rebuilt_split_attention(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the block's output: the splits times their gates."""
    splits = seen["block.splits"][0].output[0].unflatten(0, (head.block.radix, -1))
    return _weighed(splits, reading), seen["block"][0].output


def read_choice(head: Any, seen: Seen) -> Reading:
    """Read the softmax over branches or splits for each channel; it sums to 1."""
    logits = seen["block.choose"][0].output[0].view(-1, head.channels)
    return Reading(gates={"channels": logits.softmax(0)})


def rectified(channels: int, out: int, kernel: int = 1, **settings: Any) -> nn.Sequential:
    """Return a convolution with batch normalisation and ReLU."""
    convolution = nn.Conv2d(channels, out, kernel, bias=False, **settings)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU())


def choice(channels: int, width: int, branches: int) -> nn.Sequential:
    """From the means of all channels to `branches` logits for each."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1),
        rectified(channels, width),
        nn.Conv2d(width, branches * channels, 1),
    )


def _chosen(branches: Float[Tensor, "b g c h w"], choose: nn.Module) -> Float[Tensor, "b c h w"]:
    logits = choose(branches.sum(1)).view(*branches.shape[:3], 1, 1)
    return (branches * logits.softmax(1)).sum(1)


def _weighed(branches: Float[Tensor, "g c h w"], reading: Reading) -> Float[Tensor, "1 c h w"]:
    return (branches * reading.gates["channels"][..., None, None]).sum(0, keepdim=True)


def read_channel_matrix(head: Any, seen: Seen) -> Reading:
    """Read the channel branch: a softmax of negated products, as released.

    The paper's formula has no minus sign: there similar channels have the largest weights, here
    dissimilar ones.
    """
    cells = seen["cam"][0].inputs[0][0].flatten(1)
    return Reading(gates={"matrix": (-cells @ cells.mT).softmax(-1)})


def rebuilt_channel_matrix(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the channel branch's output: each channel reads all others through the matrix."""
    call = seen["cam"][0]
    (x,) = call.inputs
    mixed = reading.gates["matrix"] @ x[0].flatten(1)
    return x + head.cam.gamma(mixed.view_as(x)), call.output


def read_encoding(head: Any, seen: Seen) -> Reading:
    """Read EncNet's gates; a channel is multiplied by 1 plus its gate."""
    return Reading(gates={"channels": seen["enc_module.fc"][0].output})


def rebuilt_encoding(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild the output of the encoding module."""
    call = seen["enc_module"][0]
    (x,) = call.inputs
    return (x * (1 + reading.gates["channels"][0, :, None, None])).relu(), call.output[1]


HEADS = (
    *(
        Head(name, {"type": "BlockHead", "block": {"type": block}})
        for name, block in (
            ("senet", "SqueezeExcitationBlock"),
            ("ecanet", "EfficientChannelBlock"),
            ("sknet", "SelectiveKernelBlock"),
            ("resnest", "SplitAttentionBlock"),
        )
    ),
    # EncHead's auxiliary loss, set so that it counts as usual without a warning.
    Head(
        "encnet",
        {
            "type": "EncHead",
            "loss_se_decode": {
                "type": "CrossEntropyLoss",
                "use_sigmoid": True,
                "loss_weight": 0.2,
                "avg_non_ignore": True,
            },
        },
        inputs=(0,),
    ),
)
READERS = (
    HeadMethod(
        method=METHODS["senet"],
        head="senet",
        watch=("block", "block.gate"),
        read=read_channels,
        rebuilt=rebuilt_channels,
    ),
    HeadMethod(
        method=METHODS["ecanet"],
        head="ecanet",
        watch=("block", "block.gate"),
        read=read_channels,
        rebuilt=rebuilt_channels,
    ),
    HeadMethod(
        method=METHODS["sknet"],
        head="sknet",
        watch=("block", "block.choose", "block.branches.0", "block.branches.1"),
        read=read_choice,
        rebuilt=rebuilt_selective_kernel,
    ),
    HeadMethod(
        method=METHODS["resnest"],
        head="resnest",
        watch=("block", "block.choose", "block.splits"),
        read=read_choice,
        rebuilt=rebuilt_split_attention,
    ),
    HeadMethod(
        method=METHODS["encnet"],
        head="encnet",
        watch=("enc_module", "enc_module.fc"),
        read=read_encoding,
        rebuilt=rebuilt_encoding,
    ),
    HeadMethod(
        method=METHODS["danet_channel"],
        head="danet",
        watch=("cam",),
        read=read_channel_matrix,
        rebuilt=rebuilt_channel_matrix,
    ),
)
