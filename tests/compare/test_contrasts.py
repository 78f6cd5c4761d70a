"""What a contrast says, by hand."""

import numpy as np
import pytest

from asa_viz.compare.arms import ARMS
from asa_viz.compare.contrasts import BLOCK, CONTRASTS, Effect, blocks_of, effect, holm
from asa_viz.networks.datasets import CAMVID, VOC2012


def areas_of(right, pictures=40):
    """Areas of pictures of one class, 100 pixels each, of which `right` are found."""
    areas = np.zeros((pictures, 3, len(CAMVID.classes)), int)
    areas[:, :, 0] = [right, 100, 100]
    return areas


def names_of(pictures=40):
    return [f"video1_{number}" for number in range(pictures)]


def test_the_paired_interval_by_hand():
    first, second = [[areas_of(right) for right in side] for side in ((50, 60, 70), (40, 40, 40))]
    found = effect(first, second, names_of(), CAMVID)
    # Differences 0.1, 0.2, 0.3: mean 0.2, deviation 0.1, t = 2 sqrt(3) with 2 degrees of freedom.
    error = 0.1 / 3**0.5
    assert found.difference == pytest.approx(0.2)
    assert (found.high - found.difference) == pytest.approx(4.3027 * error, abs=1e-4)
    assert found.p == pytest.approx(0.0742, abs=1e-4)
    assert found.detectable == pytest.approx((4.3027 + 1.0607) * error, abs=1e-4)
    assert found.seeds == 3
    # All pictures alike: drawn again they say the same.
    assert found.pictures_low == found.pictures_high == pytest.approx(0.2)
    assert effect(first[:1], second, names_of(), CAMVID) is None


def test_seeds_are_paired():
    """What moves both arms of a seed alike does not widen the interval."""
    first = [areas_of(right) for right in (52, 72, 92)]
    second = [areas_of(right) for right in (50, 70, 90)]
    found = effect(first, second, names_of(), CAMVID)
    assert found.high - found.low < 1e-9
    assert found.difference == pytest.approx(0.02)


def test_pictures_that_differ_widen_the_interval_over_pictures():
    first = areas_of(50)
    first[: len(first) // 2, 0, 0] = 90
    found = effect([first, first], [areas_of(50)] * 2, names_of(), CAMVID)
    assert found.pictures_low < found.difference - 0.02
    assert found.pictures_high > found.difference + 0.02


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "verdict"),
    [
        (0.001, 0.02, 0.04, "better"),
        (-0.02, -0.001, 0.04, "worse"),
        (0.001, 0.02, 0.06, "not established among so many contrasts"),
        (-0.02, -0.001, 0.06, "not established among so many contrasts"),
        (-0.004, 0.007, 0.9, "within 0.8 points"),
        (-0.001, 0.009, 0.9, "not established"),
        (-0.009, 0.001, 0.9, "not established"),
    ],
)
def test_the_verdict(low, high, p_holm, verdict):
    assert Effect(0, low, high, 0, 0, 0.01, 5, 0.02, p_holm).verdict == verdict


def test_holm_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06}
    )
    assert holm({"a": 0.5, "b": 0.9}) == {"a": 1.0, "b": 1.0}


def test_frames_of_a_video_are_drawn_in_blocks():
    names = [f"seq_{number // 25}_{number}" for number in range(60)]
    blocks = blocks_of(names, prefix=5)
    assert [len(block) for block in blocks] == [BLOCK, BLOCK, 5, BLOCK, BLOCK, 5, BLOCK]
    assert sorted(np.concatenate(blocks)) == list(range(60))
    assert {len(block) for block in blocks_of(names, prefix=0)} == {1}
    assert CAMVID.sequence_of == len("0016E5")
    assert VOC2012.sequence_of == 0


def test_at_most_five_contrasts_between_arms_that_exist():
    assert len(CONTRASTS) <= 5
    for _, first, second in CONTRASTS:
        assert {first, second} <= set(ARMS)
