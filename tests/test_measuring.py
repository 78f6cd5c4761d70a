import time

import torch

from asa_viz.attention.few_keys import FewKeys
from asa_viz.measuring import medians, multiply_adds, peak_bytes, seconds


def test_peak_memory_counts_what_is_held_at_one_time():
    def one_after_another():
        for _ in range(5):
            torch.zeros(1 << 18)

    def together():
        return [torch.zeros(1 << 18) for _ in range(5)]

    assert peak_bytes(one_after_another) == 1 << 20
    assert peak_bytes(together) == 5 << 20


def test_multiply_adds_of_a_product_and_of_a_convolution():
    a, b = torch.zeros(3, 5), torch.zeros(5, 7)
    assert multiply_adds(lambda: a @ b) == 3 * 5 * 7
    convolution = torch.nn.Conv2d(4, 6, 3, padding=1)
    assert multiply_adds(lambda: convolution(torch.zeros(1, 4, 8, 9))) == 4 * 6 * 9 * 8 * 9


def test_multiply_adds_of_weighted_sums_of_a_few_keys():
    attention = FewKeys((1, 5), (1, 6), torch.zeros(5, 3, dtype=torch.long), torch.ones(5, 3))
    assert multiply_adds(lambda: attention.mix(torch.zeros(4, 1, 6))) == 5 * 3 * 4


def test_the_first_round_of_a_timer_is_not_counted():
    said = {"a": iter([9.0, 1.0, 2.0, 4.0]), "b": iter([9.0, 3.0, 3.0, 3.0])}
    timers = {name: values.__next__ for name, values in said.items()}
    assert medians(timers, rounds=3) == {"a": 2.0, "b": 3.0}


def test_the_slower_function_takes_longer():
    taken = seconds({"slow": lambda: time.sleep(0.02), "fast": lambda: None}, rounds=3)
    assert taken["slow"] > taken["fast"]
