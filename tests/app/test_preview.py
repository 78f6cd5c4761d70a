"""What a link preview reads of the page: its words, its picture, and nothing of Gradio's."""

import asyncio
import gc
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import gradio
import numpy as np
import pytest
from PIL import Image

from app.handlers import Answers
from app.packet_cache import PacketCache
from app.page import build_page, mount_settings
from app.preview import ICON, PICTURE, PICTURE_SIZE, preview
from app.preview_image import icon_image, preview_image, query_view
from app.server.headers import SecurityHeaders
from app.server.origins import Reach, public_address
from app.server.preview import Previews, described
from app.server.serve import Application, serving
from app.session_cache import CachedEncoder, SessionCache
from app.viewer import dictionaries
from tests.app.event_loops import loops_closed
from tests.fakes import fake_session

# The server runs in this process: its warnings and its open sockets must not fail a test.
pytestmark = pytest.mark.filterwarnings("ignore")

# As Gradio is installed; what it would fill in is left as it stands.
DOCUMENT = Path(gradio.__file__).with_name("templates") / "frontend" / "index.html"
ONE_OF_EACH = {
    "description", "og:type", "og:site_name", "og:title", "og:description", "og:url", "og:image",
    "og:image:type", "og:image:width", "og:image:height", "og:image:alt", "twitter:card",
    "twitter:title", "twitter:description", "twitter:image", "twitter:image:alt",
}  # fmt: skip
PROXY = Reach(None, behind_proxy=True)
WORDS = dictionaries()
TAG = "<title>asa</title>"


class Head(HTMLParser):
    """The elements of a document that describe it, as a preview reads them."""

    def __init__(self, document):
        super().__init__()
        self.titles, self.metas, self.links, self.without_script = [], [], [], []
        self.language, self._open = None, []
        self.feed(document)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        if tag == "html":
            self.language = known.get("lang")
        elif tag == "meta":
            self.metas.append((known.get("property") or known.get("name"), known.get("content")))
        elif tag == "link":
            self.links.append((known.get("rel"), known.get("href")))
        if tag in ("title", "noscript"):
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data):
        if self._open:
            (self.titles if self._open[-1] == "title" else self.without_script).append(data)

    @property
    def described(self):
        """The properties by name; none stands there twice."""
        of_preview = [each for each in self.metas if each[0] and each[0] != "theme-color"]
        named = {name: content for name, content in of_preview if name != "viewport"}
        assert len(named) == len([name for name, _ in of_preview if name != "viewport"])
        return named


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with loops_closed():
        folder = tmp_path_factory.mktemp("server")
        encoder = CachedEncoder(lambda file, network: fake_session(), SessionCache())
        answers = Answers(encoder, None, ["asa", "dense"], PacketCache(folder))
        application = Application(
            build_page(answers, ["asa", "dense"]), mount_settings(answers), preview=preview()
        )
        with serving(application) as address:
            yield address
    gc.collect()


def html(body=None, status=200, headers=(("content-type", "text/html; charset=utf-8"),), parts=1):
    """An application that answers every request with a document, in as many parts as asked for."""
    body = DOCUMENT.read_bytes() if body is None else body

    async def app(scope, receive, send):
        app.seen = scope
        given = [*headers, ("content-length", str(len(body)))]
        raw = [(name.encode(), value.encode()) for name, value in given]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        size = -(-len(body) // parts)
        for part in range(parts):
            piece = body[part * size : (part + 1) * size]
            more = part < parts - 1
            await send({"type": "http.response.body", "body": piece, "more_body": more})

    return app


def ask(
    app, path="/", *, query="", headers=(("host", "localhost:7860"),), method="GET",
    reach=PROXY, root_path=None, scheme="http",
):  # fmt: skip
    """Ask an application for a path behind the middleware; returns all it sends."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode("latin-1"),
        "scheme": scheme, "client": ("1.2.3.4", 5),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }  # fmt: skip
    asyncio.run(Previews(app, preview(), reach, root_path)(scope, receive, send))
    return sent


def text(sent):
    return b"".join(message.get("body", b"") for message in sent).decode()


# As it is served ------------------------------------------------------------------------------


def test_the_page_has_one_of_each_property_and_none_of_gradio_s(client, address):
    head = Head(client.get("/").text)
    words = WORDS["en"]
    assert head.titles == [words["app.document"]]
    assert head.language == "en"
    described = head.described
    assert set(described) == ONE_OF_EACH
    assert described["og:title"] == described["twitter:title"] == words["app.title"]
    for name in ("description", "og:description", "twitter:description"):
        assert described[name] == words["preview.description"]
    assert described["og:url"] == f"{address}/"
    assert described["twitter:card"] == "summary_large_image"
    assert described["og:image"] == described["twitter:image"]
    assert described["og:image:alt"] == described["twitter:image:alt"] == words["preview.picture"]
    said = " ".join([*head.titles, *described.values()])
    assert "gradio" not in said.lower()
    hosts = {urlsplit(value).netloc for value in described.values() if "://" in value}
    assert hosts == {urlsplit(address).netloc}
    assert head.without_script == [words["preview.without_script"]]


def test_the_frame_of_the_browser_has_the_colours_of_the_page(client):
    head = Head(client.get("/").text)
    colours = [content for name, content in head.metas if name == "theme-color"]
    assert colours == ["#ffffff", "#0f1318"]
    style = (Path(__file__).parents[2] / "app" / "viewer" / "page" / "viewer.css").read_text()
    assert all(f"--paper: {colour};" in style for colour in colours)


def test_the_picture_is_where_the_page_says_and_as_large_as_it_says(client):
    described = Head(client.get("/").text).described
    answer = client.get(described["og:image"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == described["og:image:type"] == "image/jpeg"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age" in answer.headers["cache-control"]
    assert len(answer.content) < 300_000
    with Image.open(BytesIO(answer.content)) as picture:
        size = (int(described["og:image:width"]), int(described["og:image:height"]))
        assert picture.size == size == (1200, 630)
        assert picture.format == "JPEG"
    asked = client.head(described["og:image"])
    assert int(asked.headers["content-length"]) == len(answer.content)


def test_nothing_else_may_be_shown_by_another_site(client):
    for path in ("/", "/config", "/healthz", "/favicon.ico", "/nowhere"):
        policy = client.get(path).headers.get_list("cross-origin-resource-policy")
        assert policy == ["same-origin"], path


def test_the_icon_is_the_page_s_own(client, address):
    links = dict(Head(client.get("/").text).links)
    icon = client.get(urljoin(f"{address}/", links["icon"]))
    assert icon.content == ICON.read_bytes()
    assert icon.headers["content-type"] == "image/png"
    shown = [urljoin(f"{address}/", links["apple-touch-icon"])]
    shown += [
        urljoin(address, each["src"]) for each in client.get("/manifest.json").json()["icons"]
    ]
    for place in shown:
        answer = client.get(place)
        assert answer.status_code == 200, place
        side = int(place.rsplit("/", 1)[1])
        assert Image.open(BytesIO(answer.content)).size == (side, side)


def test_the_document_is_as_long_as_it_says_also_where_only_that_is_asked(client):
    whole = client.get("/", headers={"accept-encoding": "br, gzip"})
    assert int(whole.headers["content-length"]) == len(whole.content)
    asked = client.head("/")
    assert asked.content == b""
    assert asked.headers["content-length"] == whole.headers["content-length"]
    assert asked.headers["content-type"].startswith("text/html")


def test_all_but_what_describes_it_is_as_gradio_wrote_it(client):
    document = client.get("/").text
    assert "window.gradio_config" in document
    assert document.count("<gradio-app") == 1
    raw = DOCUMENT.read_text("utf-8")
    answer = text(ask(html()))
    start = raw.index("<script")
    assert (
        answer[answer.index("<script") : answer.index("<noscript")]
        == (raw[start : raw.index("<gradio-app")])
    )
    assert answer[answer.index("<gradio-app") :] == raw[raw.index("<gradio-app") :]
    # Of the rest only the lines that describe the page are others.
    kept = [line for line in raw[:start].splitlines() if "--bg" in line or "viewport" in line]
    assert kept
    assert [line for line in kept if line not in answer] == []


# The address ----------------------------------------------------------------------------------

FORWARDED = (("x-forwarded-host", "a.example, b.example"), ("x-forwarded-proto", "https, http"))


@pytest.mark.parametrize(
    ("reach", "root_path", "headers", "address"),
    [
        (Reach(), None, [("host", "localhost:7860")], "http://localhost:7860"),
        (Reach(), None, [("host", "[::1]:7860")], "http://[::1]:7860"),
        (PROXY, None, [("host", "Inner:80")], "http://inner:80"),
        (PROXY, "/asa", [("host", "inner")], "http://inner/asa"),
        (PROXY, "/asa/", [("host", "inner"), *FORWARDED], "https://a.example/asa"),
        (PROXY, None, [("host", "inner"), FORWARDED[1]], "https://inner"),
        (PROXY, "https://b.example/x", [("host", "inner"), *FORWARDED], "https://b.example/x"),
        # Without a proxy nobody is believed.
        (Reach(), None, [("host", "localhost"), *FORWARDED], "http://localhost"),
        (PROXY, None, [("host", "inner"), ("x-forwarded-proto", "javascript")], "http://inner"),
    ],
)
def test_addresses_are_those_of_the_visitor_s_browser(reach, root_path, headers, address):
    sent = ask(html(), reach=reach, root_path=root_path, headers=headers)
    described = Head(text(sent)).described
    assert described["og:url"] == f"{address}/"
    assert described["og:image"].startswith(f"{address}/link_preview.jpg?")


def test_over_https_without_a_proxy_the_address_says_so():
    described = Head(text(ask(html(), reach=Reach(), scheme="https"))).described
    assert described["og:url"] == "https://localhost:7860/"


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
@pytest.mark.parametrize(
    "host",
    [
        'a"><script>alert(1)</script>', "a' onload='x", "a<b", "a b", "user@evil.example",
        "evil.example/path", "evil.example?x", "evil.example#x", "a\\b", "a:port", "a:80:80",
        "\xe4.example", "javascript:alert(1)", "&quot;", "a\r\nb", "",
    ],
)  # fmt: skip
def test_a_host_that_is_none_is_not_written(header, host):
    headers = {"host": "", header: host}
    described = Head(text(ask(html(), root_path="/asa", headers=headers.items()))).described
    assert set(described) == ONE_OF_EACH
    assert described["og:url"] == "/asa/"
    assert described["og:image"].startswith("/asa/link_preview.jpg?")
    assert public_address({"headers": [(b"host", host.encode("latin-1"))]}, Reach()) == ""


def test_a_link_to_a_state_stays_one_and_a_forged_one_is_left_out():
    query = "network=asa&q=12,30&lesson=4"
    document = text(ask(html(), query=query))
    assert f"?{query}" in Head(document).described["og:url"]
    assert f"?{query.replace('&', '&amp;')}" in document
    for forged in ('"><script>alert(1)</script>', "a b", "x=\xe4", "x" * 3000):
        described = Head(text(ask(html(), query=forged))).described
        assert described["og:url"] == "http://localhost:7860/"
        assert set(described) == ONE_OF_EACH


@pytest.mark.parametrize("language", WORDS)
def test_a_link_that_names_a_language_is_described_in_it(language):
    head = Head(text(ask(html(), query=f"lesson=2&lang={language}")))
    words = WORDS[language]
    assert head.language == language
    assert head.titles == [words["app.document"]]
    assert head.described["og:title"] == words["app.title"]
    assert head.described["og:description"] == words["preview.description"]
    assert head.without_script == [words["preview.without_script"]]
    # The tab has the page's own title in it; previews cut what is longer.
    assert words["app.title"] in words["app.document"]
    assert len(words["preview.description"]) <= 200


def test_a_language_that_is_none_is_english():
    assert Head(text(ask(html(), query="lang=xx"))).language == "en"


# What is not touched --------------------------------------------------------------------------


def test_a_document_in_parts_is_described_as_one(client):
    whole = ask(html())
    assert text(ask(html(parts=7))) == text(whole)
    assert len(ask(html(parts=7))) == 2
    assert dict(whole[0]["headers"])[b"content-length"] == str(len(text(whole).encode())).encode()


def test_a_document_that_is_not_as_known_is_passed_unchanged():
    raw = DOCUMENT.read_text("utf-8")
    for other in (
        "", "<html>", raw.replace("<meta", "<other"), raw.replace("<gradio-app", "<app"),
        raw.replace("lang=", "dir="), raw.replace("<script", "<other"),
    ):  # fmt: skip
        sent = ask(html(other.encode()))
        assert text(sent) == other
        assert dict(sent[0]["headers"])[b"content-length"] == str(len(other.encode())).encode()
    (words, *_) = preview().words.values()
    assert described(raw.encode(), words, TAG) is not None


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({"path": "/config"}, {}),
        ({"method": "POST"}, {}),
        ({}, {"status": 404}),
        ({}, {"headers": (("content-type", "application/json"),)}),
        ({}, {"headers": (("content-type", "text/html"), ("content-encoding", "br"))}),
    ],
)
def test_other_answers_pass_part_by_part(request_, answer):
    sent = ask(html(parts=3, **answer), **request_)
    assert len(sent) == 4
    assert text(sent) == DOCUMENT.read_text("utf-8")


def test_a_document_is_neither_compressed_nor_compared_with_an_older_one():
    mark = ("etag", '"1"'), ("last-modified", "Mon, 02 Nov 2026 00:00:00 GMT")
    app = html(headers=(("content-type", "text/html"), *mark))
    asked = [("accept-encoding", "br"), ("if-none-match", '"1"'), ("host", "localhost")]
    sent = ask(app, headers=asked)
    assert [name for name, _ in app.seen["headers"]] == [b"host"]
    assert {b"etag", b"last-modified"} & set(dict(sent[0]["headers"])) == set()
    # Elsewhere they are.
    ask(app, path="/theme.css", headers=asked)
    assert len(app.seen["headers"]) == 3


def test_what_has_its_own_policy_keeps_it():
    own = ("cross-origin-resource-policy", "cross-origin")
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(SecurityHeaders(html(headers=[own]))({"type": "http"}, None, send))
    assert [value for name, value in sent[0]["headers"] if name.decode() == own[0]] == [
        b"cross-origin"
    ]


# The pictures ---------------------------------------------------------------------------------


def test_the_pictures_are_those_that_the_command_draws():
    """But for the rounding of JPEG and of another release of the font's library."""
    for path, drawn in ((PICTURE, preview_image(query_view())), (ICON, icon_image())):
        with Image.open(path) as kept:
            shown = np.asarray(kept.convert("RGB"), float)
        anew = np.asarray(drawn.convert("RGB"), float)
        assert shown.shape == anew.shape
        assert abs(shown - anew).mean() < 2, path.name
    assert preview_image(query_view()).size == PICTURE_SIZE
