"""Own-class shares of ASA's sparse rows beside those of simpler rows of the same size.

A query's own-class share is the share of its weights on keys of its own class. Any short row of
near or similar cells has a high share, so the sparse row is compared with

    dense        the whole softmax row
    top_k        the k largest affinities of the same row, k the size of the sparse row's support
    one_sided    the keys that are chosen or local, whether they choose back or not
        box          k cells around the query with equal weights: a square, filled up by distance

The first three are renormalised over the keys that they keep.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from asa_viz.attention.blockwise import blocks
from asa_viz.attention.fixed import FixedAttention
from asa_viz.attention.row import SparseAttention

OWN_CLASS = ("dense", "sparse", "top_k", "one_sided", "box")
KEYS = ("support", "local_alone", "nonlocal_alone")


def of_queries(
    attention: SparseAttention | FixedAttention, classes: UInt8[np.ndarray, "h w"]
) -> dict[str, Float[Tensor, " n"]]:
    """Return figures of every query, by name: own-class shares (OWN_CLASS), numbers of keys (KEYS).

    `support` is the number of keys kept, `local_alone` and `nonlocal_alone` those that only the
    local or only the non-local rule keeps. A row that keeps nothing reads its query alone; its
    `top_k` and `box` are that cell too.
    """
    labels = torch.from_numpy(classes.ravel().astype(np.int64))
    nearest = torch.from_numpy(by_distance(attention.height, attention.width))
    parts = [
        _of_block(attention, rows, labels, nearest[rows].long()) for rows in blocks(len(labels))
    ]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _of_block(
    attention: SparseAttention | FixedAttention,
    rows: slice,
    labels: Int[Tensor, " n"],
    nearest: Int[Tensor, "r n"],
) -> dict[str, Tensor]:
    log_affinity, chosen, chooses_back, local = attention.decisions(rows)
    own = labels[rows, None] == labels
    affinity = log_affinity.exp()
    reciprocal = chosen & chooses_back
    support = reciprocal | local
    size = support.sum(-1)
    last = (size - 1).clamp_min(0)[:, None]
    largest, keys = affinity.sort(stable=True, dim=-1, descending=True)
    in_box = own.gather(-1, nearest).cumsum(-1).gather(-1, last)[:, 0]
    itself = torch.arange(rows.start, rows.stop)[:, None] == torch.arange(len(labels))
    return {
        "dense": _share(affinity, own),
        "sparse": _share(affinity * _or_itself(support, itself), own),
        "top_k": _up_to(largest, own.gather(-1, keys), last),
        "one_sided": _share(affinity * _or_itself(chosen | local, itself), own),
        "box": in_box / (last[:, 0] + 1),
        "support": size.float(),
        "local_alone": (local & ~reciprocal).sum(-1).float(),
        "nonlocal_alone": (reciprocal & ~local).sum(-1).float(),
    }


def _or_itself(kept: Bool[Tensor, "r n"], itself: Bool[Tensor, "r n"]) -> Bool[Tensor, "r n"]:
    return kept | (itself & ~kept.any(-1, keepdim=True))


def _share(weights: Float[Tensor, "r n"], own: Bool[Tensor, "r n"]) -> Float[Tensor, " r"]:
    return (weights * own).sum(-1) / weights.sum(-1)


def _up_to(
    weights: Float[Tensor, "r n"], own: Bool[Tensor, "r n"], last: Int[Tensor, "r 1"]
) -> Float[Tensor, " r"]:
    """Return the share of own class among the first weights, up to and with index `last`."""
    both = torch.stack([weights * own, weights]).cumsum(-1)
    mine, all_ = both.gather(-1, last.expand(2, -1, 1))[..., 0]
    return mine / all_


@lru_cache(maxsize=6)
def by_distance(height: int, width: int) -> Int[np.ndarray, "n n"]:
    """Return for each query the indices of all cells from near to far.

    By the larger of the distances in rows and columns, so that the first (2 r + 1)^2 cells fill a
    square, then by Euclidean distance.
    """
    rows, cols = (axis.ravel() for axis in np.indices((height, width)))
    down, along = abs(rows[:, None] - rows), abs(cols[:, None] - cols)
    far = np.maximum(down, along).astype(np.int64) * (height * height + width * width)
    order = np.argsort(far + down**2 + along**2, axis=1, kind="stable")
    return order.astype(np.int32)


def means(figures: Iterable[dict[str, Tensor]]) -> dict[str, float]:
    """Return the mean of each figure of `of_queries` over the queries of several pictures.

    Own-class shares are means over the queries that are `asked` (a further entry, bool) and whose
    row keeps something; `empty_rows` is the share of all queries whose row keeps nothing.
    """
    joined: dict[str, list[Tensor]] = {}
    for each in figures:
        for name, values in each.items():
            joined.setdefault(name, []).append(values)
    queries = {name: torch.cat(values) for name, values in joined.items()}
    kept = queries["support"] > 0
    asked = queries.pop("asked") & kept
    own = {name: float(queries.pop(name)[asked].mean()) for name in OWN_CLASS}
    keys = {name: float(values.mean()) for name, values in queries.items()}
    return own | keys | {"empty_rows": float((~kept).float().mean())}
