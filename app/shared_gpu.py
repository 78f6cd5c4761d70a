"""The GPU that a Hugging Face Space lends for single calls (ZeroGPU), where it lends one."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import ParamSpec, TypeVar, cast

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def on_shared_gpu(function: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """Return a function that borrows the GPU for each call; where none is lent, the same function.

    A call may run in another process: what it is given and what it returns are pickled, and what
    it changes stays there. The package `spaces` is installed by such a Space; elsewhere it does
    nothing, if it is there at all.
    """
    if find_spec("spaces") is None:
        return function
    return cast(Callable[Asked, Answer], import_module("spaces").GPU(function))
