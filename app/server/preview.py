"""Writes into the page's document what link previews read, and serves their picture.

Messengers and social networks fetch a link and show its title, its description and a picture, from
the Open Graph properties of the document. Gradio's document has its own there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import parse_qs
from zlib import crc32

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.origins import Reach, public_address

PICTURE_PATH = "/link_preview.jpg"
# Its address names its content, so that a new picture is fetched at once.
_PICTURE_HEADERS = {
    "cache-control": "public, max-age=604800",
    # Previews in a browser show it on another site's page.
    "cross-origin-resource-policy": "cross-origin",
}
_MOST_QUERY = 2000
_QUERY = re.compile(r"[\w.~!$&'()*+,;=:@/?%-]*", re.ASCII)
# A compressed document could not be read, and one that the browser has is not the one sent here.
_LEFT_OUT = (b"accept-encoding", b"if-none-match", b"if-modified-since")
_REPLACED = re.compile(
    r"""\s*(?:<meta\s[^>]*\b(?:property|name)\s*=\s*["']?(?:og:|twitter:|description\b|theme-color\b)"""
    r"""[^>]*>|<title\b[^>]*>.*?</title>|<link\s[^>]*\brel\s*=\s*["']?icon\b[^>]*>)""",
    re.IGNORECASE | re.DOTALL,
)
_LANGUAGE = re.compile(r"""(<html\b[^>]*?\blang=")[^"]*""", re.IGNORECASE)
_HEAD_END, _CONTENT = b"<script", b"<gradio-app"


@dataclass(frozen=True)
class Words:
    """What a preview says in one language.

    `document` is the title of the browser's tab, `picture` describes the picture, and
    `without_script` stands on the page where JavaScript is off.
    """

    language: str
    document: str
    title: str
    description: str
    picture: str
    without_script: str


@dataclass(frozen=True)
class Preview:
    """What previews show: words by language, the first by default, and a picture (JPEG).

    `colours` are those of the browser's frame around a light and a dark page.
    """

    site: str
    words: Mapping[str, Words]
    picture: Path
    size: tuple[int, int]
    colours: tuple[str, str]


class Previews:
    """Middleware that describes the page in its document, and answers with the picture."""

    def __init__(self, app: ASGIApp, preview: Preview, reach: Reach, root_path: str | None) -> None:
        self._app = app
        self._preview = preview
        self._reach = reach
        self._root_path = root_path or ""
        self._picture = f"{PICTURE_PATH}?{crc32(preview.picture.read_bytes()):08x}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the picture, or pass a request on and describe the page in its answer."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return await self._app(scope, receive, send)
        if scope["path"] == PICTURE_PATH:
            answer = FileResponse(self._preview.picture, headers=_PICTURE_HEADERS)
            return await answer(scope, receive, send)
        if scope["path"] != "/":
            return await self._app(scope, receive, send)
        headers = [each for each in scope["headers"] if each[0] not in _LEFT_OUT]
        document = _Document(send, *self._described(scope))
        return await self._app({**scope, "headers": headers}, receive, document.send)

    def _described(self, scope: Scope) -> tuple[Words, str]:
        """Return the words for a request and the tags that describe the page."""
        query = scope["query_string"].decode("latin-1")
        if len(query) > _MOST_QUERY or not _QUERY.fullmatch(query):
            query = ""
        named = parse_qs(query).get("lang", [""])[0]
        words = self._preview.words.get(named, next(iter(self._preview.words.values())))
        address = public_address(scope, self._reach, self._root_path)
        # A link to a state stays one where it is shared on.
        url = f"{address}/{'?' * bool(query)}{query}"
        return words, _tags(self._preview, words, url, f"{address}{self._picture}")


class _Document:
    """An answer that is held back until it is complete, if it is the page's document."""

    def __init__(self, send: Send, words: Words, tags: str) -> None:
        self._send = send
        self._words = words
        self._tags = tags
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Send a message, or hold it back."""
        if message["type"] == "http.response.start" and _is_plain_html(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_described(self._start)

    async def _send_described(self, start: Message) -> None:
        body = bytes(self._body)
        if (document := described(body, self._words, self._tags)) is not None:
            body = document
            headers = MutableHeaders(scope=start)
            headers["content-length"] = str(len(body))
            for name in ("etag", "last-modified"):
                del headers[name]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def described(document: bytes, words: Words, tags: str) -> bytes | None:
    """Return Gradio's document with `tags` for its own, or None where those are not as known."""
    end, content = document.find(_HEAD_END), document.rfind(_CONTENT)
    if not 0 <= end < content:
        return None
    head = document[:end].decode("utf-8", "replace")
    own = _REPLACED.search(head)
    if own is None or not _LANGUAGE.search(head):
        return None
    head = f"{head[: own.start()]}\n{tags}{_REPLACED.sub('', head[own.start() :])}"
    head = _LANGUAGE.sub(rf"\g<1>{escape(words.language)}", head, count=1)
    says = f'<p style="margin: 16px">{escape(words.without_script)}</p>'
    without_script = f"<noscript>{says}</noscript>\n".encode()
    return b"".join([head.encode(), document[end:content], without_script, document[content:]])


def _tags(preview: Preview, words: Words, url: str, picture: str) -> str:
    """Return the elements for a document's head."""
    width, height = preview.size
    properties = {
        "og:type": "website",
        "og:site_name": preview.site,
        "og:title": words.title,
        "og:description": words.description,
        "og:url": url,
        "og:image": picture,
        "og:image:type": "image/jpeg",
        "og:image:width": str(width),
        "og:image:height": str(height),
        "og:image:alt": words.picture,
    }
    names = {
        "description": words.description,
        "twitter:card": "summary_large_image",
        "twitter:title": words.title,
        "twitter:description": words.description,
        "twitter:image": picture,
        "twitter:image:alt": words.picture,
    }
    light, dark = preview.colours
    return "\n".join(
        [
            f"<title>{escape(words.document)}</title>",
            *(
                f'<meta property="{key}" content="{escape(of)}" />'
                for key, of in properties.items()
            ),
            *(f'<meta name="{key}" content="{escape(of)}" />' for key, of in names.items()),
            f'<meta name="theme-color" media="(prefers-color-scheme: light)" content="{light}" />',
            f'<meta name="theme-color" media="(prefers-color-scheme: dark)" content="{dark}" />',
            # Relative, as the page may stand under a path.
            '<link rel="icon" type="image/png" href="./favicon.ico" />',
            '<link rel="apple-touch-icon" href="./pwa_icon/192" />',
        ]
    )


def _is_plain_html(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return start["status"] == 200 and kind == "text/html" and "content-encoding" not in headers
