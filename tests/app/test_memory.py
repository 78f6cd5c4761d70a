"""Memory that is free again goes back to the system."""

import ctypes
from pathlib import Path

import pytest

from app.server import memory

KB = 1024


def resident():
    """The memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 * KB


@pytest.mark.skipif(memory._c_library() is None, reason="another C library than glibc")
def test_what_is_free_between_what_is_held_goes_back():
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    library.free.argtypes = [ctypes.c_void_p]
    # Small enough to be allocated on the heap, where blocks in use keep the free ones between them.
    blocks = [library.malloc(100 * KB) for _ in range(1000)]
    for block in blocks:
        ctypes.memset(block, 1, 100 * KB)
    held = set(blocks[::20])
    for block in blocks:
        if block not in held:
            library.free(block)
    before = resident()
    memory.give_back()
    assert before - resident() > 80 * KB * KB
    for block in held:
        library.free(block)
