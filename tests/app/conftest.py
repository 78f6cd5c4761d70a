"""What every test of the page needs."""

import asyncio

import pytest


@pytest.fixture(autouse=True)
def close_loops(monkeypatch):
    """Close the event loops that building a page opens: Gradio leaves four of them."""
    loops, new_event_loop = [], asyncio.new_event_loop

    def noted():
        loops.append(new_event_loop())
        return loops[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", noted)
    yield
    for loop in loops:
        loop.close()
    if loops:
        asyncio.set_event_loop(None)
