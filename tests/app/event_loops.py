"""Closes the event loops that a page leaves behind, so that they warn in no other test."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def loops_closed() -> Iterator[list[asyncio.AbstractEventLoop]]:
    """Close the event loops that are opened inside; yields the list of them.

    Building and serving a page opens some and leaves them open: Gradio four.
    """
    loops, new_event_loop = [], asyncio.new_event_loop

    def noted():
        loops.append(new_event_loop())
        return loops[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", noted)
        yield loops
    for loop in loops:
        loop.close()
