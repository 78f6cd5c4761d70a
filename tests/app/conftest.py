"""What every test of the page needs."""

import asyncio

import httpx
import pytest

from tests.app.event_loops import loops_closed


@pytest.fixture(autouse=True)
def close_loops():
    """Close the event loops that building a page opens."""
    with loops_closed() as loops:
        yield
    if loops:
        asyncio.set_event_loop(None)


@pytest.fixture
def client(address):
    """A client of the page at the module's `address`."""
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client
