"""The pre-registered contrasts between arms: paired differences by seed, with their confidence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from asa_viz.compare.measure import Areas, shares
from asa_viz.networks.datasets import DataSet


class Contrast(NamedTuple):
    """A tested difference: mIoU of arm `first` minus that of arm `second`."""

    name: str
    first: str
    second: str


# The first is the paper's claim, the second a precondition: where attention does not beat no
# attention, nothing can be concluded about kinds of attention. No other pair of arms is tested.
CONTRASTS = (
    Contrast("ASA - non-local, read only", "asa_read_only", "nonlocal_started_read_only"),
    Contrast("non-local - FCN, read only", "nonlocal_started_read_only", "fcn_read_only"),
    Contrast("ASA - non-local, as published", "asa_published", "nonlocal_started_published"),
    Contrast("ASA - top-k, read only", "asa_read_only", "asa_top_k_read_only"),
    Contrast("ASA - fixed thresholds, read only", "asa_read_only", "asa_fixed_read_only"),
)

# The smallest relevant difference of mIoU, and the power for detecting it.
MATTERS = 0.008
CONFIDENCE = 0.95
POWER = 0.8
# Consecutive frames of a video are similar: they are resampled in blocks of this length.
BLOCK = 10
DRAWS = 2000


@dataclass(frozen=True)
class Effect:
    """A difference of mIoU between two arms, paired by seed; shares, not points.

    `low` and `high` bound it with 95 % confidence over seeds (t), `pictures_low` and
    `pictures_high` over resampled pictures (bootstrap) for the given seeds. `detectable` is the
    smallest true difference that this number of seeds shows with a power of 80 %. `p` is of the
    paired t-test, `p_holm` corrected for all tested contrasts.
    """

    difference: float
    low: float
    high: float
    pictures_low: float
    pictures_high: float
    detectable: float
    seeds: int
    p: float
    p_holm: float = math.nan

    @property
    def verdict(self) -> str:
        """Return the conclusion in a few words.

        It is a direction if the interval over seeds excludes 0 and the corrected p is below 5 %.
        """
        if self.low > 0 or self.high < 0:
            if self.p_holm >= 1 - CONFIDENCE:
                return "not established among so many contrasts"
            return "better" if self.low > 0 else "worse"
        reaches = self.high >= MATTERS or self.low <= -MATTERS
        return "not established" if reaches else f"within {100 * MATTERS:.1f} points"


def effect(
    first: Sequence[Areas], second: Sequence[Areas], names: Sequence[str], facts: DataSet
) -> Effect | None:
    """Return the effect from each seed's areas per picture; None with fewer than two seeds."""
    count = min(len(first), len(second))
    if count < 2:
        return None
    pairs = list(zip(first[:count], second[:count], strict=True))
    differences = np.array(
        [shares(one, facts)["mIoU"] - shares(two, facts)["mIoU"] for one, two in pairs]
    )
    error = float(differences.std(ddof=1)) / math.sqrt(count)
    reach = float(student.ppf((1 + CONFIDENCE) / 2, count - 1))
    mean = float(differences.mean())
    drawn = _drawn_again(pairs, blocks_of(names, facts.sequence_of), facts)
    low, high = np.percentile(drawn, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Effect(
        difference=mean,
        low=mean - reach * error,
        high=mean + reach * error,
        pictures_low=float(low),
        pictures_high=float(high),
        detectable=(reach + float(student.ppf(POWER, count - 1))) * error,
        seeds=count,
        # Equal differences have no spread, for which the t-test is not defined.
        p=float(ttest_1samp(differences, 0.0).pvalue) if error else float(mean == 0),
    )


def blocks_of(names: Sequence[str], prefix: int) -> list[Int[np.ndarray, " _"]]:
    """Return the indices of pictures by blocks for resampling.

    Without a `prefix` each picture is its own block. Otherwise pictures whose names share a prefix
    of this length are frames of one video, in order, and the blocks are runs of BLOCK frames.
    """
    if not prefix:
        return [np.array([index]) for index in range(len(names))]
    videos: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        videos.setdefault(name[:prefix], []).append(index)
    return [
        np.array(frames[start : start + BLOCK])
        for frames in videos.values()
        for start in range(0, len(frames), BLOCK)
    ]


def _drawn_again(
    pairs: Sequence[tuple[Areas, Areas]], blocks: Sequence[Int[np.ndarray, " _"]], facts: DataSet
) -> Float[np.ndarray, " draws"]:
    """Return the mean difference over seeds for DRAWS bootstrap samples of blocks."""
    random = np.random.default_rng(0)
    of_blocks = [
        [np.stack([areas[block].sum(0) for block in blocks]) for areas in pair] for pair in pairs
    ]
    found = []
    for _ in range(DRAWS):
        chosen = random.integers(len(blocks), size=len(blocks))
        one, two = (
            [shares(pair[side][chosen], facts)["mIoU"] for pair in of_blocks] for side in (0, 1)
        )
        found.append(np.mean(np.subtract(one, two)))
    return np.array(found)


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """Return p values corrected by Holm's step-down method.

    Holm: A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6, 1979.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    corrected: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(values, key=lambda each: values[each])):
        largest = max(largest, min(1.0, (len(values) - rank) * values[name]))
        corrected[name] = largest
    return corrected
