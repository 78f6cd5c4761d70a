"""What one flooding client does to five others.

The server, the visitors and the flood are processes of their own; the network is a sleep.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time

from tests.app.server_process import ROOT, Page
from tests.soak.flood import KINDS
from tests.soak.visitor import Visitor, at, pause

VISITORS = 5
TASKS = 60
ENCODE_SECONDS = 0.05


def fairness(seconds=20):
    """Return the 95 % of the others' encodes in seconds, alone and beside each kind of flood."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        page = Page(folder, "--port", "0", fake_seconds=ENCODE_SECONDS).answers()
        try:
            _beside(page.address, "", seconds)
            found["alone"] = _beside(page.address, "", seconds)
            for kind in KINDS:
                found[kind] = _beside(page.address, kind, seconds)
        finally:
            page.end()
    return found


def _beside(address, kind, seconds):
    flooding = None
    if kind:
        flooding = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.flood", address, kind, str(TASKS), str(seconds + 3)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(3)
    times, errors = asyncio.run(_visitors(address, seconds))
    asked = times.get("encode", [])
    said = flooding.communicate()[0].strip() if flooding else ""
    return {
        "p50": at(asked, 0.5), "p95": at(asked, 0.95),
        "n": len(asked), "errors": len(errors), "flood": said,
    }  # fmt: skip


async def _visitors(address, seconds):
    times, errors = {}, []
    end = time.monotonic() + seconds

    async def come(number):
        draw = random.Random(number)
        async with Visitor(address, times) as visitor:
            await visitor.open()
            asked = 0
            while time.monotonic() < end:
                asked += 1
                sent = await visitor.send(f"{os.getpid()} {time.monotonic_ns()} {asked}".encode())
                if sent:
                    await visitor.ask("encode", source=sent)
                await pause(draw, 0.2, 0.8)
            errors.extend(visitor.errors)

    await asyncio.gather(*map(come, range(VISITORS)))
    return times, errors
