"""Returns freed memory to the operating system, where the C library is glibc."""

import ctypes
import sys
from functools import cache
from typing import Any


def give_back() -> None:
    """Call malloc_trim, which takes some milliseconds; without glibc do nothing."""
    library = _c_library()
    if library is not None:
        library.malloc_trim(0)


@cache
def _c_library() -> Any:
    """Return glibc, or None with another C library."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None
