"""The sentences with which the server refuses requests, sent as JSON."""

import json

from starlette.types import Send

SENTENCES = {
    "body": (413, "The request is too large: {limit} MB at most."),
    "slow": (408, "The request did not arrive within {seconds} seconds. Send it again."),
    "host": (
        403,
        "This page answers only under its own address. Open the address that it printed, or start "
        "it with --behind-proxy where a proxy stands before it.",
    ),
    "origin": (403, "Another site's page may not ask this server."),
    "route": (404, "There is nothing at this address."),
    "disk": (507, "The server's disk is full. The photographs of the gallery still work."),
    "pace": (429, "You ask faster than this server answers. Wait a few seconds."),
    "draining": (503, "The server is about to restart. Try again in a few seconds."),
    "question": (400, "The request does not fit; /gradio_api/info says what can be asked."),
    "failed": (500, "Something went wrong on the server (code {code}). Try again."),
}


async def refuse(send: Send, reason: str, **facts: object) -> None:
    """Answer a request with the sentence of `reason`, and close its connection.

    The connection is closed because the rest of the request's body is not read.
    """
    status, sentence = SENTENCES[reason]
    await respond(send, status, {"error": sentence.format(**facts)}, close=True)


async def respond(send: Send, status: int, content: object, *, close: bool = False) -> None:
    """Answer a request with JSON."""
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
