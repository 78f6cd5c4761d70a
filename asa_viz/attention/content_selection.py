"""Softmax attention over keys selected by a cheaper score: cells, or blocks of the map.

Designs from language models, without causal masks: cells of an image take the place of tokens,
square blocks that of runs of tokens. Selection is a hard step without a gradient.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from asa_viz.attention.base import Sum, total
from asa_viz.attention.blockwise import blocks
from asa_viz.attention.few_keys import FewKeys, softmax_over
from asa_viz.attention.low_rank import LowRank
from asa_viz.attention.squares import square_keys, square_means, square_of
from asa_viz.attention.window import windowed


def highest(scores: Float[Tensor, "r m"], k: int) -> Int[Tensor, "r k"]:
    """Return the indices of the k highest scores of each row; of equal scores the first ones.

    >>> highest(torch.tensor([[0.0, 2.0, 0.0, 1.0]]), 3).sort().values.tolist()
    [[0, 1, 3]]

    Raises:
        ValueError: there are fewer than k scores, or k is less than 1.
    """
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"Of {scores.shape[1]} keys or blocks {k} cannot be selected.")
    values, places = scores.topk(k)
    # `topk` may return any of equal scores, and many index scores are exactly 0.
    unclear = (scores >= values[:, -1:]).sum(-1) > k
    if unclear.any():
        ordered = scores[unclear].argsort(dim=-1, descending=True, stable=True)
        places[unclear] = ordered[:, :k]
    return places


def softmax_among(
    query: Float[Tensor, "d h w"], key: Float[Tensor, "d h w"], keys: Int[Tensor, "n k"]
) -> FewKeys:
    """Return each query's softmax of q . k / sqrt(d) over its own `keys`.

    Only these products are formed, in O(n k d) time. The index n marks places outside the map.
    """
    depth, height, width = query.shape
    queries = query.flatten(1).mT * depth**-0.5
    table = F.pad(key.flatten(1), (0, 1)).mT.contiguous()
    products = [
        torch.bmm(F.embedding(keys[rows], table), queries[rows, :, None])[..., 0]
        for rows in blocks(len(keys), keys.shape[1] * depth)
    ]
    return softmax_over(torch.cat(products), keys, (height, width))


def index_scores(
    query: Float[Tensor, "m r d"], key: Float[Tensor, "n d"], weight: Float[Tensor, "m r"]
) -> Float[Tensor, "r n"]:
    """Return the indexer's score of every key: over m heads, the sum of weight x ReLU(q . k)."""
    scores = query.new_zeros(query.shape[1], len(key))
    for head_query, head_weight in zip(query, weight, strict=True):
        scores = scores + head_weight[:, None] * (head_query @ key.mT).relu()
    return scores


def indexer_top_k(
    query: Float[Tensor, "d h w"],
    key: Float[Tensor, "d h w"],
    index_query: Float[Tensor, "m e h w"],
    index_key: Float[Tensor, "e h w"],
    index_weight: Float[Tensor, "m h w"],
    k: int,
) -> FewKeys:
    """Return attention to the k keys of each query that an indexer scores highest.

    The indexer has m heads of width e with queries and weights of their own and one key a cell. It
    compares all pairs of cells; d-wide queries and keys are compared for the selected pairs alone.
    DeepSeek-AI, DeepSeek-V3.2-Exp, technical report, 2025.

    Raises:
        ValueError: the map has fewer than k cells, or k is less than 1.
    """
    with torch.no_grad():
        queries, keys = index_query.flatten(2).mT, index_key.flatten(1).mT
        weights = index_weight.flatten(1)
        selected = [
            highest(index_scores(queries[:, rows], keys, weights[:, rows]), k)
            for rows in blocks(len(keys))
        ]
    return softmax_among(query, key, torch.cat(selected))


def mixture_of_block(
    query: Float[Tensor, "d h w"], key: Float[Tensor, "d h w"], *, side: int, kept: int
) -> FewKeys:
    """Return attention to the cells of `kept` blocks of side x side cells for each query.

    Its own block is one of them; the others are those of the highest product of the query with the
    mean of the block's keys. Lu et al., MoBA: Mixture of Block Attention for Long-Context LLMs,
    arXiv 2502.13189.

    Raises:
        ValueError: the map has fewer than `kept` blocks, or `kept` is less than 1.
    """
    _, height, width = query.shape
    own = square_of(height, width, side, query.device)
    with torch.no_grad():
        gate = query.flatten(1).mT @ square_means(key, side).mT
        selected = highest(gate.scatter(1, own[:, None], torch.inf), kept)
    cells = square_keys(height, width, side, query.device)[selected]
    return softmax_among(query, key, cells.flatten(1))


def compressed(
    query: Float[Tensor, "d h w"],
    key: Float[Tensor, "d h w"],
    pool: Float[Tensor, "2 h w"],
    side: int,
) -> LowRank:
    """Return attention to blocks of side x side cells, each pooled to one key and one value.

    `pool` holds logits of the cells: a softmax over the cells of a block gives the shares in its
    key (the first map) and in its value (the second). The rows are those of the cells: what is
    read of a block times the shares in its value. `distribute` is the softmax over the blocks.
    """
    depth, height, width = query.shape
    n = height * width
    cells = square_keys(height, width, side, query.device)
    logits = F.pad(pool.flatten(1), (0, 1), value=-torch.inf)
    key_shares, value_shares = logits[:, cells].softmax(-1)
    table = F.pad(key.flatten(1), (0, 1)).mT
    pooled = (key_shares[..., None] * table[cells]).sum(1)
    affinity = (query.flatten(1).mT @ pooled.mT * depth**-0.5).softmax(-1)
    gather = value_shares.new_zeros(len(cells), n + 1).scatter(1, cells, value_shares)
    return LowRank((height, width), (height, width), affinity, gather[:, :n])


def native_sparse(
    query: Float[Tensor, "d h w"],
    keys: tuple[Float[Tensor, "d h w"], Float[Tensor, "d h w"], Float[Tensor, "d h w"]],
    pool: Float[Tensor, "2 h w"],
    gates: Float[Tensor, "3 h w"],
    *,
    side: int,
    kept: int,
    window: int,
) -> Sum:
    """Return the sum of three attentions to the same values, each times a gate of the query.

    They are: to blocks of side x side cells pooled to one (see `compressed`), to the cells of the
    `kept` blocks that the first one weighs most, and to a window. `keys` and `gates` are given in
    this order. A row sums to its three gates. Yuan et al., Native Sparse Attention, arXiv
    2502.11089; there each branch has values of its own, and an MLP pools them.

    Raises:
        ValueError: the map has fewer than `kept` blocks, `kept` is less than 1, or the window is
            not odd.
    """
    depth, height, width = query.shape
    shape = (height, width)
    of_blocks = compressed(query, keys[0], pool, side)
    with torch.no_grad():
        selected = highest(of_blocks.distribute, kept)
    cells = square_keys(height, width, side, query.device)[selected]
    of_cells = softmax_among(query, keys[1], cells.flatten(1))
    products, near = windowed(query * depth**-0.5, keys[2], window)
    of_window = softmax_over(products, near, shape)
    first, second, third = gates.flatten(1)[..., None]
    return total(
        [
            LowRank(shape, shape, first * of_blocks.distribute, of_blocks.gather),
            FewKeys(shape, shape, of_cells.keys, second * of_cells.weights),
            FewKeys(shape, shape, of_window.keys, third * of_window.weights),
        ]
    )
