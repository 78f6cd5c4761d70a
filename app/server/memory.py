"""Memory that is free again goes back to the system, where the C library can be told so."""

import ctypes
import sys
from functools import cache
from typing import Any


def give_back() -> None:
    """Return what the allocator keeps free to the system; some milliseconds."""
    library = _c_library()
    if library is not None:
        library.malloc_trim(0)


@cache
def _c_library() -> Any:
    """Return glibc, or None where there is another."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None
