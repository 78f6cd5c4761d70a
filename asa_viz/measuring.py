"""Measures what functions cost: median time, peak memory, multiply-adds."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode


def seconds(
    functions: Mapping[str, Callable[[], Any]], rounds: int, uncounted: int = 1
) -> dict[str, float]:
    """Return the median time of each function, as `medians` does."""
    return medians(
        {name: partial(_timed, made) for name, made in functions.items()}, rounds, uncounted
    )


def medians(
    timers: Mapping[str, Callable[[], float]], rounds: int, uncounted: int = 1
) -> dict[str, float]:
    """Return the median of each timer's readings, after some warm-up rounds.

    The timers run alternately, so that all see the same load.
    """
    said = [{name: timer() for name, timer in timers.items()} for _ in range(uncounted + rounds)]
    return {name: median(turn[name] for turn in said[uncounted:]) for name in timers}


def _timed(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    _finish()
    return time.perf_counter() - start


def _finish() -> None:
    """Wait for pending work of a GPU, where one is in use."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def peak_bytes(function: Callable[[], Any]) -> int:
    """Return the peak memory, in bytes, of tensors allocated by `function`.

    Only torch allocations count, not caches of libraries. Where a GPU is in use, its memory counts,
    else that of the CPU.
    """
    if torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        function()
        _finish()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        function()
    held = peak = 0
    for event in watched.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return peak


def multiply_adds(function: Callable[[], Any]) -> int:
    """Return the multiply-adds of matrix products, convolutions and weighted embedding bags."""
    mapping = {torch.ops.aten._embedding_bag_forward_only: _bag_operations}
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter, torch.no_grad():
        function()
    return counter.get_total_flops() // 2


def _bag_operations(table: Sequence[int], indices: Sequence[int], *_: Any, **__: Any) -> int:
    """Return the operations of an embedding bag, two for each number it reads."""
    return 2 * indices[0] * table[1]
