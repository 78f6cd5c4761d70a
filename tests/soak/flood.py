"""One client that floods a page: python -m tests.soak.flood ADDRESS KIND TASKS SECONDS.

Prints how many requests were answered and how many refused. It writes to sockets itself: the page
has to be slowed down, and not this program.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx

from app.gallery import EXAMPLES
from tests.app.server_process import component_of, question
from tests.soak.visitor import NETWORK

KINDS = {
    "polite": "asks for pictures of its own, and waits half a second after a refusal",
    "rude": "asks for pictures of its own, without a pause",
    "known": "asks for a photograph that is encoded already",
    "page": "opens the page again and again",
}
POLITE_SECONDS = 0.5
PART = (
    '--part\r\nContent-Disposition: form-data; name="files"; filename="own.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n{picture}\r\n--part--\r\n"
)


class Flood:
    """A client with one cookie and many connections."""

    def __init__(self, address, kind):
        self.kind = kind
        self.counts = Counter()
        self._place = urlsplit(address)
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
            client.get("/")
            self._cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
            self._component = component_of(client)

    async def go_on(self, number, end):
        """Ask again and again, until the time is over."""
        asked = 0
        while time.monotonic() < end:
            asked += 1
            try:
                done = await self._once(f"{os.getpid()} {number} {asked}")
            except (OSError, ValueError, IndexError, asyncio.IncompleteReadError):
                done = False
            self.counts["answered" if done else "refused"] += 1
            if not done and self.kind == "polite":
                await asyncio.sleep(POLITE_SECONDS)

    async def _once(self, picture):
        if self.kind == "page":
            return (await self._request("GET", "/"))[0] == 200
        source = EXAMPLES[0].name
        if self.kind != "known":
            body = PART.format(picture=picture)
            kind = "multipart/form-data; boundary=part"
            status, sent = await self._request("POST", "/gradio_api/upload", body, kind)
            if status != 200:
                return False
            source = {"path": json.loads(sent)[0]}
        asked = question("encode", {"network": NETWORK, "source": source}, self._component)
        body = json.dumps(asked)
        status, told = await self._request("POST", "/gradio_api/component_server", body)
        return status == 200 and json.loads(told)["ok"]

    async def _request(self, method, path, body="", kind="application/json"):
        """Send a request on a connection of its own; returns status and body."""
        reader, writer = await asyncio.open_connection(self._place.hostname, self._place.port)
        try:
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: {self._place.netloc}\r\nConnection: close\r\n"
                f"Cookie: {self._cookie}\r\nContent-Type: {kind}\r\n"
                f"Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()
            )
            head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
            return int(head.split(b" ", 2)[1]), rest
        finally:
            writer.close()


async def flood(address, kind, tasks, seconds):
    """Flood a page for so long; returns the counts."""
    client = Flood(address, kind)
    end = time.monotonic() + seconds
    running = [asyncio.create_task(client.go_on(number, end)) for number in range(tasks)]
    await asyncio.wait(running, timeout=seconds)
    for each in running:
        each.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return dict(client.counts)


if __name__ == "__main__":
    address, kind, tasks, seconds = sys.argv[1:]
    print(asyncio.run(flood(address, kind, int(tasks), float(seconds))))
