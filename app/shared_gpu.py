"""Runs functions on the GPU that a Hugging Face Space lends for single calls (ZeroGPU)."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import ParamSpec, TypeVar, cast

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def on_shared_gpu(function: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """Return a function that borrows the GPU for each call; without ZeroGPU, the same function.

    A call may run in another process: arguments and results are pickled, and changes of state are
    lost. Such a Space has the package `spaces` installed; elsewhere it does nothing.
    """
    if find_spec("spaces") is None:
        return function
    return cast(Callable[Asked, Answer], import_module("spaces").GPU(function))
