"""Heads that select the keys of each query by a cheaper score: cells, or blocks of the map.

All three keep a tenth of the cells, as the ablation top-k does. Blocks have 4 x 4 cells: poles and
signs are one or two cells wide, and the 32 x 32 cells of a training crop hold 64 such blocks, but
only 16 of 8 x 8.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from mmseg.registry import MODELS
from torch import Tensor, nn
from typing_extensions import override

from asa_viz.attention.base import Attention
from asa_viz.attention.content_selection import (
    index_scores,
    indexer_top_k,
    mixture_of_block,
    native_sparse,
)
from asa_viz.attention.squares import square_count
from asa_viz.catalogue import METHODS
from asa_viz.networks.capture import Seen
from asa_viz.networks.heads import classify, largest
from asa_viz.networks.zoo.block_head import BlockHead
from asa_viz.networks.zoo.record import Head, HeadMethod, Reading

SIDE = 4
WINDOW = 7


class SelectiveBlock(nn.Module, ABC):
    """A non-local block with one head of half the channels and a sparse attention of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = channels // 2
        self.query = nn.Conv2d(channels, width, 1)
        # A key bias adds the same number to all logits of a query, which the softmax cancels.
        self.key = nn.Conv2d(channels, width, 1, bias=False)
        self.value = nn.Conv2d(channels, width, 1)
        self.out = nn.Conv2d(width, channels, 1)

    @abstractmethod
    def attentions(self, x: Float[Tensor, "b c h w"]) -> list[Attention]:
        """Return the attention of each image, differentiable."""

    def finish(
        self, mixed: Float[Tensor, "b d h w"], x: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b c h w"]:
        """Return the block's output from what the cells read and its input."""
        return x + self.out(mixed)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return `x` plus what each cell reads from the keys that are selected for it."""
        images = zip(self.attentions(x), self.value(x), strict=True)
        return self.finish(torch.stack([attention.mix(value) for attention, value in images]), x)


@MODELS.register_module()
class IndexerTopKBlock(SelectiveBlock):
    """DeepSeek-AI, DeepSeek-V3.2-Exp, technical report, 2025: an indexer and top-k.

    Four index heads of a sixteenth of the channels: scoring a pair costs a quarter of what dense
    attention spends on it, its product and its share of the values. As in the released code, the
    weights of the heads are divided by the roots of their number and width; its layer norm of the
    index key, rotary positions and 8-bit numbers are left out.
    """

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__(channels)
        self.heads = heads
        self.index_width = max(1, channels // 16)
        self.index_query = nn.Conv2d(channels, heads * self.index_width, 1)
        self.index_key = nn.Conv2d(channels, self.index_width, 1)
        self.index_weight = nn.Conv2d(channels, heads, 1)

    def index(
        self, x: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, "b m e h w"], Float[Tensor, "b e h w"], Float[Tensor, "b m h w"]]:
        """Return the indexer's queries, keys and weights; no gradient of theirs reaches `x`."""
        x = x.detach()
        return (
            self.index_query(x).unflatten(1, (self.heads, -1)),
            self.index_key(x),
            self.index_weight(x) * (self.heads * self.index_width) ** -0.5,
        )

    @override
    def attentions(self, x: Float[Tensor, "b c h w"]) -> list[Attention]:
        kept = largest(x[0, 0].numel())
        images = zip(self.query(x), self.key(x), *self.index(x), strict=True)
        return [indexer_top_k(*image, kept) for image in images]

    def indexer_loss(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, ""]:
        """Return KL(dense row || softmax of its index scores), in nats, averaged over the queries.

        The dense row is computed from the block's own queries and keys over all cells, without
        gradient: top-k gives the indexer no gradient, and this loss trains nothing but the indexer.
        """
        losses = []
        for query, key, *index in zip(self.query(x), self.key(x), *self.index(x), strict=True):
            queries, keys = query.detach().flatten(1).mT, key.detach().flatten(1).mT
            dense = (queries @ keys.mT * queries.shape[-1] ** -0.5).log_softmax(-1)
            index_query, index_key, index_weight = index
            scores = index_scores(
                index_query.flatten(2).mT, index_key.flatten(1).mT, index_weight.flatten(1)
            )
            losses.append(
                F.kl_div(scores.log_softmax(-1), dense, reduction="batchmean", log_target=True)
            )
        return torch.stack(losses).mean()


@MODELS.register_module()
class IndexerHead(BlockHead):
    """BlockHead that also trains the indexer of its block.

    The report first trains the indexer alone on all keys, then everything together with the KL over
    the selected keys alone. Here both stages are one, over all keys: a schedule of a few steps from
    random weights has no first stage, and without it keys that are never selected would teach
    nothing.
    """

    def loss(
        self, inputs: Sequence[Tensor], batch_data_samples: list[Any], train_cfg: Any
    ) -> dict[str, Tensor]:
        """Return the segmentation loss and the indexer's, `loss_indexer`."""
        x = self._transform_inputs(inputs)
        narrow = self.convs[0](x)
        logits = classify(self, x, self.block(narrow))
        losses = self.loss_by_feat(logits, batch_data_samples)
        losses["loss_indexer"] = self.block.indexer_loss(narrow)
        return losses


@MODELS.register_module()
class NativeSparseBlock(SelectiveBlock):
    """Yuan et al., Native Sparse Attention, arXiv 2502.11089.

    Keys of their own for each branch, as in the paper, but the same values, and an MLP that weighs
    the cells of a block in place of one that maps them to a vector: then the three branches
    together are one linear map of the values. Blocks do not overlap, and those to compress are
    those to select; the first and the nearest block are not always selected, for there is no first
    cell and the window reads the nearest.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        width = channels // 2
        # `key` is that of the selected blocks.
        self.block_key, self.window_key = (
            nn.Conv2d(channels, width, 1, bias=False) for _ in range(2)
        )
        self.gate = nn.Conv2d(channels, 3, 1)
        self.pool_hidden = nn.Conv2d(channels, width, 1)
        self.place = nn.Parameter(torch.randn(width, SIDE, SIDE) * width**-0.5)
        self.pool = nn.Conv2d(width, 2, 1, bias=False)

    def pool_logits(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 2 h w"]:
        """Return logits of each cell in its block's key and value, from its feature and place."""
        height, width = x.shape[-2:]
        tiles = self.place.repeat(1, -(-height // SIDE), -(-width // SIDE))
        return self.pool((self.pool_hidden(x) + tiles[:, :height, :width]).relu())

    @override
    def attentions(self, x: Float[Tensor, "b c h w"]) -> list[Attention]:
        kept = largest(square_count(x.shape[2], x.shape[3], SIDE))
        keys = zip(self.block_key(x), self.key(x), self.window_key(x), strict=True)
        images = zip(self.query(x), keys, self.pool_logits(x), self.gate(x).sigmoid(), strict=True)
        return [native_sparse(*image, side=SIDE, kept=kept, window=WINDOW) for image in images]


@MODELS.register_module()
class MixtureOfBlockBlock(SelectiveBlock):
    """Lu et al., MoBA: Mixture of Block Attention for Long-Context LLMs, arXiv 2502.13189.

    A query's own block and at least one other, as far as there is one. The gate has no weights of
    its own: queries and keys learn by the attention to what is selected alone.
    """

    @override
    def attentions(self, x: Float[Tensor, "b c h w"]) -> list[Attention]:
        count = square_count(x.shape[2], x.shape[3], SIDE)
        kept = min(count, max(2, largest(count)))
        images = zip(self.query(x), self.key(x), strict=True)
        return [mixture_of_block(*image, side=SIDE, kept=kept) for image in images]


def read(head: Any, seen: Seen) -> Reading:
    """Read a block's attention from what entered it."""
    return Reading(tuple(head.block.attentions(seen["block"][0].inputs[0])))


def rebuilt(head: Any, seen: Seen, reading: Reading) -> tuple[Tensor, Tensor]:
    """Rebuild a block's output: its input, and what its rows read of the values."""
    block, call = head.block, seen["block"][0]
    (x,) = call.inputs
    mixed = reading.attentions[0].mix(block.value(x)[0])
    return block.finish(mixed[None], x), call.output


_METHODS: dict[str, tuple[type[BlockHead], type[SelectiveBlock]]] = {
    "indexer_top_k": (IndexerHead, IndexerTopKBlock),
    "native_sparse": (BlockHead, NativeSparseBlock),
    "mixture_of_block": (BlockHead, MixtureOfBlockBlock),
}
HEADS = tuple(
    Head(name, {"type": head.__name__, "block": {"type": block.__name__}})
    for name, (head, block) in _METHODS.items()
)
READERS = tuple(HeadMethod(METHODS[name], name, ("block",), read, rebuilt) for name in _METHODS)
