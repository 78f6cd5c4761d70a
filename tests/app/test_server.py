"""The guards of the server: bodies, hosts, origins, routes, headers, health, faults, logs."""

import asyncio
import gc
import json
import threading

import pytest

from app.gallery import EXAMPLES
from app.handlers import Answers
from app.packet_cache import PacketCache
from app.page import build_page, mount_settings
from app.server import body_limits, rate_limit
from app.server.body_limits import BodyLimits
from app.server.errors import ErrorAnswers, report
from app.server.health import Readiness
from app.server.origins import LOOPBACK, Origins, Reach, reach_of, visitor_address
from app.server.serve import Application, serving
from app.session_cache import CachedEncoder, SessionCache
from tests.app.event_loops import loops_closed
from tests.app.server_process import ask, component_of, question
from tests.fakes import fake_session

# The server runs in this process: its warnings and its open sockets must not fail a test.
pytestmark = pytest.mark.filterwarnings("ignore")

SECRET = "a-visitor-s-own-words"


@pytest.fixture(scope="module")
def inside():
    """How many are inside the network, and the most there were at once."""
    return {"now": 0, "most": 0}


@pytest.fixture(scope="module")
def address(tmp_path_factory, inside):
    def encode(file, network):
        inside["now"] += 1
        inside["most"] = max(inside["most"], inside["now"])
        inside["now"] -= 1
        return fake_session()

    with pytest.MonkeyPatch.context() as patch, loops_closed():
        folder = tmp_path_factory.mktemp("server")
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))
        encoder = CachedEncoder(encode, SessionCache())
        answers = Answers(encoder, None, ["asa", "dense"], PacketCache(folder))
        readiness = Readiness(lambda: encode(None, "asa"), folder)
        application = Application(
            build_page(answers, ["asa", "dense"]), mount_settings(answers), readiness=readiness
        )
        with serving(application) as address:
            yield address
    gc.collect()


def alive(client):
    """The three questions after every fault: alive, right, nothing lost."""
    assert client.get("/healthz").json() == {"alive": True}
    assert client.get("/readyz").json() == {"ready": True, "reason": None}
    answer = ask(client, "encode", {"source": EXAMPLES[0].name, "network": "asa"}).json()
    assert answer["ok"]
    packet = client.get(f"/gradio_api/file={answer['file']}")
    assert packet.status_code == 200
    assert len(packet.content) > 1000


def sentence(response):
    text = response.json()["error"]
    assert text[0].isupper()
    assert text[-1] in ".)"
    return text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/gradio_api/component_server", b" " * 3_000_000),
        ("/gradio_api/queue/join", b"[" * 1_000_001),
        ("/gradio_api/upload", b"x" * 14_000_000),
    ],
)
def test_a_body_that_is_too_large_is_413_and_a_sentence(client, path, body):
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "too large" in sentence(answer)
    alive(client)


def test_a_length_that_was_not_said_or_is_a_lie_is_counted(client):
    parts = [b"x" * 2**16] * 40
    answer = client.post("/gradio_api/component_server", content=iter(parts))
    assert answer.status_code == 413
    # A field without a name, or one that is no file, goes past Gradio's own limit.
    form = {"files": b"f", "": b"y" * 7_000_000}
    answer = client.post("/gradio_api/upload", files={"x": ("", b"z" * 7_000_000)}, data=form)
    assert answer.status_code == 413
    alive(client)


def test_a_picture_of_ten_megabytes_is_taken(client):
    files = {"files": ("own.jpg", b"x" * (10 * 2**20 - 1000), "image/jpeg")}
    assert client.post("/gradio_api/upload", files=files).status_code == 200


def test_of_a_body_that_is_refused_little_is_kept():
    kept = []

    async def reader(scope, receive, send):
        while (message := await receive()).get("more_body"):
            kept.append(len(message["body"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    parts = iter([*[{"type": "http.request", "body": bytes(2**16), "more_body": True}] * 900])

    async def receive():
        return next(parts, {"type": "http.request", "body": b""})

    sent = run(BodyLimits(reader), receive=receive)
    assert sent[0]["status"] == 413
    assert sum(kept) <= 10**6


def test_a_body_that_does_not_come_is_408(monkeypatch):
    # What else of it comes is waited for a while, so that the sender reads the answer.
    monkeypatch.setattr(body_limits, "DISCARDING_SECONDS", 0.05)

    async def receive():
        await asyncio.sleep(60)

    async def reader(scope, receive, send):
        await receive()

    assert run(BodyLimits(reader, most_seconds=0.05), receive=receive)[0]["status"] == 408


def run(app, receive=None, headers=(), method="POST", path="/", client=("1.2.3.4", 5)):
    """Let an application answer one request; returns what it sends."""
    sent = []

    async def nothing():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "client": client,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }  # fmt: skip
    asyncio.run(app(scope, receive or nothing, send))
    return sent


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost:7860", True), ("127.0.0.1", True), ("[::1]:80", True), ("LOCALHOST", True),
        ("evil.example", False), ("localhost.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("", False), ("192.168.1.5", False),
    ],
)  # fmt: skip
def test_on_this_machine_alone_only_its_own_names_are_answered(host, own):
    app = Origins(echo, reach_of("127.0.0.1", behind_proxy=False, space_host=None))
    assert (run(app, headers=[("host", host)])[0]["status"] == 200) is own


def test_two_hosts_or_none_are_refused():
    for headers in ([], [("host", "localhost"), ("host", "localhost")]):
        assert run(Origins(echo, Reach()), headers=headers)[0]["status"] == 403


def test_in_a_network_addresses_in_numbers_are_answered_and_other_names_are_not():
    app = Origins(echo, reach_of("0.0.0.0", behind_proxy=False, space_host=None))
    for host, status in [("192.168.1.5:7860", 200), ("localhost", 200), ("evil.example", 403)]:
        assert run(app, headers=[("host", host)])[0]["status"] == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:7860", 200), ("http://localhost:7861", 403),
        ("http://evil.example", 403),
        ("null", 403), ("file://", 403), ("http://localhost:7860.evil.example", 403),
    ],
)  # fmt: skip
def test_what_another_site_s_page_sends_is_refused(origin, status):
    headers = [("host", "localhost:7860"), ("origin", origin)]
    assert run(Origins(echo, Reach()), headers=headers)[0]["status"] == status
    # The browser, not the server, forbids reading the answer.
    assert run(Origins(echo, Reach()), headers=headers, method="GET")[0]["status"] == 200


def test_behind_a_proxy_its_names_count():
    reach = reach_of("0.0.0.0", behind_proxy=True, space_host="o-s.hf.space")
    for origin in ("https://o-s.hf.space", "https://hub.example", "http://inner:7860"):
        headers = [("host", "inner:7860"), ("x-forwarded-host", "hub.example"), ("origin", origin)]
        assert run(Origins(echo, reach), headers=headers)[0]["status"] == 200
    headers = [("host", "inner"), ("x-forwarded-host", "hub.example"), ("origin", "http://evil.x")]
    assert run(Origins(echo, reach), headers=headers)[0]["status"] == 403


async def echo(scope, receive, send):
    """Answers with the headers that it was given."""
    await send({"type": "http.response.start", "status": 200, "headers": scope["headers"]})


FORGED = [("x-forwarded-host", "evil"), ("x-forwarded-for", "6.6.6.6"), ("x-gradio-server", "evil")]


def test_forwarded_headers_are_believed_only_where_that_was_told():
    headers = [("host", "localhost"), *FORGED]
    seen = run(Origins(echo, Reach()), headers=headers)[0]["headers"]
    assert seen == [(b"host", b"localhost")]
    assert visitor_address({"client": ("1.2.3.4", 5), "headers": []}, Reach()) == "1.2.3.4"
    behind = Reach(None, behind_proxy=True)
    kept = run(Origins(echo, behind), headers=headers)[0]["headers"]
    assert (b"x-forwarded-host", b"evil") in kept
    scope = {"client": ("1.2.3.4", 5), "headers": [(b"x-forwarded-for", b"9.9.9.9, 6.6.6.6")]}
    # Entries further left can be forged by the client.
    assert visitor_address(scope, behind) == "6.6.6.6"
    assert visitor_address(scope, Reach(LOOPBACK)) == "1.2.3.4"


def test_a_forged_host_does_not_become_the_page_s_root(client, address):
    config = client.get("/config", headers=dict(FORGED)).json()
    assert config["root"] == address
    page = client.get("/", headers=dict(FORGED)).text
    assert "evil" not in page
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring", "/monitoring/summary", "/gradio_api/deep_link", "/gradio_api/proxy=http://x",
        "/gradio_api/stream/s/1/2/playlist.m3u8", "/gradio_api/vibe-code/", "/docs",
        "/openapi.json", "/pwa_icon", "/pwa_icon/9999",
        "/gradio_api/file/etc/passwd", "/gradio_api/custom_component/1/a/b/c", "/nowhere",
    ],
)  # fmt: skip
def test_routes_that_nobody_uses_are_closed(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert sentence(answer)


@pytest.mark.parametrize("path", ["run", "api"])
def test_nobody_skips_the_queue(client, path):
    data = {"data": [EXAMPLES[0].name, 1, 1, None]}
    answer = client.post(f"/gradio_api/{path}/reciprocal_neighbours", json=data)
    assert answer.status_code == 404
    assert sentence(answer)


def test_every_answer_has_its_headers(client, address):
    answers = [client.get(path) for path in ("/", "/healthz", "/nowhere", "/config")]
    answers.append(client.get("/", headers={"host": "evil.example"}))
    for answer in answers:
        policy = dict(
            each.strip().split(" ", 1)
            for each in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'self'"
        assert "http" not in "".join(policy.values())
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers


def test_a_visitor_over_the_pace_is_429_and_a_sentence_and_others_are_answered(client, monkeypatch):
    monkeypatch.setattr(rate_limit, "MOST_WAITING", -rate_limit.MOST_AT_ONCE)
    monkeypatch.setattr(rate_limit, "REFUSAL_SECONDS", 0.01)
    cookie = {"cookie": f"asa_visitor={77:032x}"}
    refused = client.post("/gradio_api/component_server", content=b"[", headers=cookie)
    assert refused.status_code == 429
    assert "faster" in sentence(refused)
    assert client.get("/config").status_code == 200


def test_a_page_gets_a_token_once(client):
    cookie = client.get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "set-cookie" not in client.get("/").headers
    assert "set-cookie" in client.get("/", headers={"cookie": "asa_visitor=mine"}).headers


# Ready ---------------------------------------------------------------------------------------


def test_ready_is_a_pass_that_worked(tmp_path):
    passes = []

    def attempt():
        passes.append(1)
        if len(passes) == 1:
            raise RuntimeError("no network")

    readiness = Readiness(attempt, tmp_path)
    assert readiness.reason_not_ready() is not None
    # A failure is not tried again at once.
    assert readiness.reason_not_ready() is not None
    assert len(passes) == 1
    readiness.check()
    assert [readiness.reason_not_ready() for _ in range(5)] == [None] * 5
    assert len(passes) == 2


def test_nobody_waits_for_another_s_probe(tmp_path):
    begun, may_end = threading.Event(), threading.Event()

    def attempt():
        begun.set()
        assert may_end.wait(60)

    readiness = Readiness(attempt, tmp_path)
    first = threading.Thread(target=readiness.reason_not_ready)
    first.start()
    assert begun.wait(60)
    assert readiness.reason_not_ready() is not None
    may_end.set()
    first.join(60)
    assert readiness.reason_not_ready() is None


def test_on_a_full_disk_the_server_is_not_ready(tmp_path, monkeypatch):
    monkeypatch.setattr("app.server.health.FREE_BYTES", 10**18)
    assert "disk" in Readiness(lambda: None, tmp_path).reason_not_ready()


# Faults --------------------------------------------------------------------------------------


def odd_questions(component):
    """Questions that fit nothing, at every endpoint's edge."""
    join = "/gradio_api/queue/join"
    yield "/gradio_api/component_server", question("encode", {}, 10**9)
    yield "/gradio_api/component_server", question("no_such", {}, component)
    yield "/gradio_api/component_server", question("__init__", {}, component)
    yield "/gradio_api/component_server", {"data": SECRET}
    yield "/gradio_api/component_server", []
    yield "/gradio_api/call/no_such", {"data": []}
    yield join, {"data": [SECRET], "fn_index": 10**9, "session_hash": "s"}
    yield join, {"data": [SECRET], "fn_index": "x", "session_hash": "s"}
    yield join, {"data": [SECRET], "fn_index": 0}
    yield "/gradio_api/cancel", {"session_hash": "s"}


def test_what_fits_nothing_is_refused_in_words_and_logged_without_them(client, caplog, capfd):
    for path, body in odd_questions(component_of(client)):
        answer = client.post(path, json=body)
        assert 400 <= answer.status_code < 500, (path, body, answer.text)
        assert len(answer.text) > 20, (path, body)
    assert SECRET not in caplog.text + "".join(capfd.readouterr())
    alive(client)


@pytest.mark.parametrize(
    "data",
    [
        [], [SECRET], [None] * 40, [{"path": SECRET}, 1, 1, None], [SECRET, 1, 1, None],
        [EXAMPLES[0].name, SECRET, 1, None], [EXAMPLES[0].name, 10**9, 1, None],
        [EXAMPLES[0].name, 1, 1, SECRET], [[[]], {}, [], {}],
    ],
)  # fmt: skip
def test_no_endpoint_answers_with_null(client, data, caplog, capfd):
    call = "/gradio_api/call/reciprocal_neighbours"
    event = client.post(call, json={"data": data})
    if event.status_code == 200:
        stream = client.get(f"{call}/{event.json()['event_id']}").text
        kind, told = stream.strip().splitlines()[:2]
        assert kind == "event: error"
        words = json.loads(told.removeprefix("data: "))["error"]
    else:
        words = event.text
    assert words is not None
    assert len(words) > 20
    assert "/home" not in words
    assert ".py" not in words
    told = caplog.text + "".join(capfd.readouterr())
    assert SECRET not in told
    assert "Traceback" not in told


def test_a_fault_is_answered_with_a_code_that_the_log_has(caplog):
    async def broken(scope, receive, send):
        raise RuntimeError(SECRET)

    sent = run(ErrorAnswers(broken))
    assert sent[0]["status"] == 500
    words = json.loads(sent[1]["body"])["error"]
    code = words.split("code ")[1][:8]
    assert code in caplog.text
    assert "test_server.py" in caplog.text
    assert SECRET not in words + caplog.text


def test_a_full_disk_is_said_to_be(caplog):
    import errno

    async def full(scope, receive, send):
        raise OSError(errno.ENOSPC, SECRET)

    sent = run(ErrorAnswers(full))
    assert sent[0]["status"] == 507
    assert "disk is full" in json.loads(sent[1]["body"])["error"]


def test_a_bare_error_gets_words():
    async def bare(scope, receive, send):
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"Internal Server Error"})

    sent = run(ErrorAnswers(bare))
    assert len(sent) == 2
    assert json.loads(sent[1]["body"])["error"].endswith(".")


def test_an_error_s_own_words_stay_out_of_the_log(caplog):
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError as error:
        code = report(error)
    assert code in caplog.text
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text
