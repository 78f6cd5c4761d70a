"""Projects a backbone's stages to the few channels on which the zoo's heads are trained."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor

from asa_viz.networks.weights import save_weights


@dataclass(frozen=True, eq=False)
class Projection:
    """The leading principal components of a backbone's stages, the deepest stage first."""

    weights: tuple[Float[Tensor, "_ _"], ...]
    centres: tuple[Float[Tensor, " _"], ...]

    def __call__(
        self, stages: Sequence[Float[Tensor, "b _ h w"]]
    ) -> list[Float[Tensor, "b _ h w"]]:
        """Return the components of each stage."""
        return [
            torch.einsum("kc,bchw->bkhw", weight, stage - centre[:, None, None])
            for weight, centre, stage in zip(self.weights, self.centres, stages, strict=True)
        ]

    @property
    def channels(self) -> tuple[int, ...]:
        """The number of components of each stage."""
        return tuple(len(weight) for weight in self.weights)


def fit(
    frames: Iterable[Sequence[Float[Tensor, "1 _ h w"]]], components: int
) -> tuple[Projection, tuple[float, ...]]:
    """Return the principal components of every stage over all cells, and the variance they keep.

    Each component is divided by its standard deviation: heads then learn from all of them at once,
    which in a short schedule helps the rare classes that the small components distinguish.
    """
    sums: list[tuple[Tensor, Tensor, int]] = []
    for stages in frames:
        cells = [stage[0].flatten(1).double() for stage in stages]
        fresh = [(x.sum(1), x @ x.mT, x.shape[1]) for x in cells]
        sums = [
            (total + x, products + y, count + z)
            for (total, products, count), (x, y, z) in zip(sums, fresh, strict=bool(sums))
        ] or fresh
    weights, centres, kept = [], [], []
    for total, products, count in sums:
        centre = total / count
        variances, directions = torch.linalg.eigh(products / count - centre.outer(centre))
        weights.append(((directions / variances.sqrt())[:, -components:].flip(1).mT).float())
        centres.append(centre.float())
        kept.append(float(variances[-components:].sum() / variances.sum()))
    return Projection(tuple(weights), tuple(centres)), tuple(kept)


def save_projection(projection: Projection, path: Path) -> None:
    """Write a projection as safetensors."""
    tensors = {f"weight.{i}": weight for i, weight in enumerate(projection.weights)}
    tensors |= {f"centre.{i}": centre for i, centre in enumerate(projection.centres)}
    save_weights(tensors, path)


def load_projection(path: Path) -> Projection:
    """Read a projection."""
    tensors = load_file(path)
    return Projection(
        *(
            tuple(tensors[f"{part}.{i}"] for i in range(len(tensors) // 2))
            for part in ("weight", "centre")
        )
    )
