"""The figures that `make soak` reports."""

import random

from tests.soak.__main__ import growth


def test_growth_is_what_is_held_between_passes_and_not_which_figures_meet_one():
    draw = random.Random(0)
    level = [1000 + draw.choice([0, 5, 100]) for _ in range(300)]
    assert abs(growth(level)) <= 5
    # 40 MB over all 300 encodes are 10 from one quarter to the next.
    leaking = [each + 40 * k / 300 for k, each in enumerate(level)]
    assert 5 <= growth(leaking) - growth(level) <= 15
