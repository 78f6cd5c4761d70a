"""Loads the compiled kernels by ctypes: one library for each instruction set."""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

from asa_viz.attention.native.build import INSTRUCTIONS, library_path

_COUNTS = ("n", "depth", "channels", "height", "width", "window", "words", "threads")
_ARRAYS = (
    "query", "key", "value", "log_threshold", "log_local", "chosen", "local", "highest",
    "log_total", "reference", "mass", "strongest", "kept", "output",
)  # fmt: skip

_GRADIENT_ARRAYS = (
    "to_output", "highest", "log_total", "log_threshold", "log_mass", "limit", "mean",
    "similarity", "incoming", "gain", "incoming_gain", "keeps", "is_kept", "to_query", "to_key",
    "to_value", "to_log_threshold", "to_log_local",
)  # fmt: skip


class Image(ctypes.Structure):
    """`struct image` of `image.h`."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in _COUNTS),
        *((name, ctypes.c_void_p) for name in _ARRAYS),
        ("scale", ctypes.c_float),
        ("slack", ctypes.c_float),
    )


class Gradient(ctypes.Structure):
    """`struct gradient` of `backward.c`."""

    _fields_ = (
        ("stride", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in _GRADIENT_ARRAYS),
    )


class Kernels:
    """The functions of one library; each processes one image and overwrites its outputs."""

    def __init__(self, path: Path) -> None:
        """Load the library.

        Raises:
            OSError: it cannot be loaded on this machine.
        """
        library = ctypes.CDLL(str(path))
        library.asa_name.restype = ctypes.c_char_p
        self.name: str = library.asa_name().decode()
        self.runs = bool(library.asa_runs())
        image, integer, array = ctypes.POINTER(Image), ctypes.c_int64, ctypes.c_void_p
        self.block = _function(library.asa_block, image, array, integer, integer)
        self.finish = _function(library.asa_finish, image, integer)
        gradient = ctypes.POINTER(Gradient)
        self.backward = _function(library.asa_backward, image, gradient, integer, integer)
        self.spread = _function(library.asa_spread, image, array, integer)


def _function(function: Any, *types: Any) -> Any:
    function.argtypes = types
    function.restype = None
    return function


@cache
def compiled() -> tuple[Kernels, ...]:
    """Return the kernels that run on this processor, the fastest first."""
    found = []
    for instructions in INSTRUCTIONS:
        path = library_path(instructions)
        if not path.exists():
            continue
        try:
            kernels = Kernels(path)
        except OSError:  # built for another platform, or OpenMP is missing
            continue
        if kernels.runs:
            found.append(kernels)
    return tuple(found)
