"""Visitors of a running page without a browser: what they ask, and how long the answers take."""

import asyncio
import itertools
import os
import random
import time

import httpx
import numpy as np

from tests.app.server_process import question

PATIENCE = 600
NETWORK = "asa_mobilenetv2_outdoor"


class Visitor:
    """One visitor with an own cookie; `times` are the seconds of each answer, by question."""

    numbers = itertools.count()

    def __init__(self, address, times):
        self.times = times
        self.errors = []
        self._client = httpx.AsyncClient(
            base_url=address, timeout=PATIENCE, trust_env=False, verify=False
        )
        self._component = None
        self._session = f"soak{next(self.numbers)}-{os.getpid()}"

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        await self._client.aclose()

    async def open(self):
        """Open the page, which gives the cookie, and read what it is made of."""
        await self._timed("page", lambda: self._client.get("/"))
        config = (await self._client.get("/config")).json()
        (viewer,) = (
            each for each in config["components"] if each["props"].get("elem_id") == "viewer"
        )
        self._component = viewer["id"]
        self._gallery = viewer["props"]["props"]["offer"]["gallery"]
        return self

    def stored(self, name):
        """Where the packet of a photograph that ships lies: the viewer fetches it from there."""
        return next(each for each in self._gallery if each["id"] == name)["stored"][NETWORK]

    async def send(self, picture):
        """Send a picture of one's own; returns how the server calls it."""
        files = {"files": ("own.jpg", picture, "image/jpeg")}
        sent = await self._timed(
            "upload", lambda: self._client.post("/gradio_api/upload", files=files)
        )
        return {"path": sent.json()[0]} if sent.status_code == 200 else None

    async def ask(self, name, **asked):
        """Ask a question; returns the answer, or None where it is refused."""
        body = question(name, {"network": NETWORK, **asked}, self._component, self._session)
        answer = await self._timed(
            name, lambda: self._client.post("/gradio_api/component_server", json=body)
        )
        if answer.status_code != 200 or not (told := answer.json())["ok"]:
            self.errors.append((name, answer.status_code, answer.text[:200]))
            return None
        return told

    async def fetch(self, file):
        """Fetch a packet; returns its bytes."""
        packet = await self._timed("packet", lambda: self._client.get(f"/gradio_api/file={file}"))
        if packet.status_code != 200:
            self.errors.append(("packet", packet.status_code, packet.text[:200]))
        return packet.content

    async def _timed(self, name, send):
        start = time.perf_counter()
        answer = await send()
        self.times.setdefault(name, []).append(time.perf_counter() - start)
        return answer


def picture(seed, width=480, height=360):
    """A JPEG of smooth noise, different for every seed."""
    from io import BytesIO

    from PIL import Image

    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    data = BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(data, "jpeg")
    return data.getvalue()


async def pause(draw: random.Random, least, most):
    """Wait as long as a person looks at something."""
    await asyncio.sleep(draw.uniform(least, most))


def at(seconds, share):
    """The time within which a share of the answers came."""
    return float(np.quantile(seconds, share)) if seconds else float("nan")
