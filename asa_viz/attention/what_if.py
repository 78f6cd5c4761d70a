"""A question to a trained block: what would it keep under another rule?"""

import math
from dataclasses import dataclass

LARGEST_WINDOW = 9


@dataclass(frozen=True)
class WhatIf:
    """How the rule is changed; by default not at all.

    The factors multiply the two learned scales of every cell. Without `reciprocity` a key needs
    only be chosen; without the `local_rule` nothing is local. `window` stands in for the trained
    one. Under `top_k` the non-local thresholds are gone: a query chooses the k keys of the largest
    affinity, ties included; a k over the number of cells means all of them.

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
        """Whether anything differs from the rule as trained."""
        return self != AS_TRAINED


AS_TRAINED = WhatIf()
