"""The four groups of keys by their relation to the query, and a colour for each."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from asa_viz.geometry import Cell
from asa_viz.views import QueryView


@dataclass(frozen=True)
class Group:
    """A group of keys by their relation to the query, with its colour."""

    name: str
    colour: str


# Okabe and Ito's colours, which can be told apart with common kinds of colour blindness.
GROUPS: tuple[Group, ...] = (
    Group("reciprocal", "#009E73"),
    Group("local", "#CC79A7"),
    Group("query_only", "#E69F00"),
    Group("key_only", "#56B4E9"),
)
REST = -1


def group_map(view: QueryView) -> Int[np.ndarray, "h w"]:
    """Return for each key the index of its group in GROUPS, or REST.

    Each key is in at most one group, kept keys first, so that the first two groups add up to the
    support. Without reciprocity all chosen keys are in the first group.
    """
    groups = np.full(view.dense.shape, REST)
    groups[view.chooses_back] = 3
    groups[view.chosen] = 2
    groups[view.local] = 1
    groups[view.reciprocal if view.reciprocity else view.chosen] = 0
    return groups


def group_counts(view: QueryView) -> dict[str, int]:
    """Return how many keys each group of GROUPS holds."""
    groups = group_map(view)
    return {group.name: int((groups == i).sum()) for i, group in enumerate(GROUPS)}


def strongest_partners(view: QueryView, count: int = 8) -> list[Cell]:
    """Return the kept keys of the first group with the largest weights, the query left out."""
    kept = view.support & (group_map(view) == 0)
    kept[view.query] = False
    (keys,) = kept.ravel().nonzero()
    order = np.argsort(-view.weights.ravel()[keys], kind="stable")
    return [Cell(*divmod(int(key), kept.shape[1])) for key in keys[order[:count]]]
