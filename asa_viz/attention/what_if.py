"""A change of the rule of a trained block, applied without retraining."""

import math
from dataclasses import dataclass

LARGEST_WINDOW = 9


@dataclass(frozen=True)
class WhatIf:
    """The changed rule; the default changes nothing.

    The factors multiply the two learned scales of every cell. Without `reciprocity` a key needs
    only be chosen; without the `local_rule` no key is local. `window` replaces the trained one.
    `top_k` replaces the non-local thresholds: a query chooses the k keys with the largest affinity,
    ties included; k above the number of cells means all.

    Raises:
        ValueError: a factor is negative or not finite, the window is no odd number from 1 to 9, or
            k is under 1.
    """

    nonlocal_factor: float = 1.0
    local_factor: float = 1.0
    reciprocity: bool = True
    local_rule: bool = True
    window: int | None = None
    top_k: int | None = None

    def __post_init__(self) -> None:
        for factor in (self.nonlocal_factor, self.local_factor):
            if not (math.isfinite(factor) and factor >= 0):
                raise ValueError(f"A factor must be a finite number from 0 on; got {factor}.")
        if self.window is not None and self.window not in range(1, LARGEST_WINDOW + 1, 2):
            raise ValueError(
                f"The window must be an odd number from 1 to {LARGEST_WINDOW}; got {self.window}."
            )
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"The number of keys to choose must be at least 1; got {self.top_k}.")

    @property
    def changed(self) -> bool:
        """Whether the rule differs from the trained one."""
        return self != AS_TRAINED


AS_TRAINED = WhatIf()
