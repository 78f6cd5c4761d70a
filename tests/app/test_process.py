"""The page as a process: it ends when its work is done, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from filelock import FileLock

from app.gallery import EXAMPLES
from app.server import address
from app.server.address import AddressError, listen
from app.server.folders import Folders
from tests.app.server_process import PATIENCE, ROOT, Page, ask, component_of

pytestmark = pytest.mark.slow

PHOTOGRAPH = {"source": EXAMPLES[0].name, "network": "asa_mobilenetv2_outdoor"}


@pytest.fixture
def start(tmp_path):
    """A function that starts the page; whatever still runs is ended."""
    pages = []

    def page(*arguments, **settings):
        pages.append(Page(tmp_path, *arguments, **settings))
        return pages[-1]

    yield page
    for each in pages:
        each.kill()


def runs_in(folder):
    (own,) = folder.glob("asa-viz-*")
    return list((own / "runs").iterdir())


def test_sigterm_finishes_what_runs_and_leaves_nothing(start, tmp_path):
    page = start("--port", "0", fake_seconds=2).answers()
    answers = []
    with page.client() as client:
        component = component_of(client)
        visitor = threading.Thread(
            target=lambda: answers.append(ask(client, "encode", PHOTOGRAPH, component).json())
        )
        visitor.start()
        page.wait_for(page.begun)
        page.send(signal.SIGTERM)
        for _ in range(1000):
            late = ask(
                httpx.Client(base_url=page.address, trust_env=False), "encode", PHOTOGRAPH, 1
            )
            if late.status_code == 503:
                break
        assert late.status_code == 503
        assert "restart" in late.json()["error"]
        visitor.join(PATIENCE)
        packet = client.get(f"/gradio_api/file={answers[0]['file']}")
        assert packet.status_code == 200
        assert len(packet.content) > 1000
    code, said = page.ended()
    assert code == 0, said
    assert "Traceback" not in said
    assert runs_in(tmp_path) == []


def test_what_takes_too_long_does_not_keep_the_process(start):
    page = start("--port", "0", fake_seconds=PATIENCE).answers()
    with page.client() as client:
        component = component_of(client)

        def ask_and_be_hung_up_on():
            with pytest.raises(httpx.HTTPError):
                ask(client, "encode", PHOTOGRAPH, component).raise_for_status()

        visitor = threading.Thread(target=ask_and_be_hung_up_on)
        visitor.start()
        page.wait_for(page.begun)
        code, _ = page.end()
        visitor.join(PATIENCE)
    assert code == 0


def test_leftovers_of_a_killed_run_are_swept_and_those_of_a_living_one_are_not(start, tmp_path):
    living = start("--port", "0", fake_seconds=0)
    killed = start("--port", "0", fake_seconds=0)
    for page in (living, killed):
        page.answers()
    before = set(runs_in(tmp_path))
    assert len(before) == 2
    killed.kill()
    folders = Folders(tmp_path)
    after = set(runs_in(tmp_path))
    assert len(after & before) == 1
    folders.delete_run()
    assert living.end()[0] == 0
    assert runs_in(tmp_path) == []


def test_a_folder_of_that_name_that_is_another_s_is_left_alone(tmp_path):
    first = Folders(tmp_path)
    own = first.uploads.parent
    first.delete_run()
    own.rename(tmp_path / "real")
    own.symlink_to(tmp_path / "real")
    second = Folders(tmp_path)
    assert second.uploads.parent != own
    assert own not in second.uploads.parents
    second.delete_run()
    with FileLock(tmp_path / "real" / "lock", timeout=1):
        pass


def outcome(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, **environment}, timeout=PATIENCE, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.strip().splitlines()


def test_a_port_that_is_taken_is_one_sentence_and_an_exit_code():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, said = outcome("--port", port)
    assert code == 1
    assert said == [f"Port {port} is taken by another program; give another with --port."]


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("no.such.host.invalid", 0, "There is no host"),
        ("http://localhost", 0, "There is no host"),
        ("192.0.2.1", 0, "is no address of this machine"),
        ("127.0.0.1", 70000, "There is no port 70000"),
    ],
)
def test_a_mistake_in_the_address_is_named(host, port, words):
    with pytest.raises(AddressError, match=words):
        listen(host, port)


def test_the_first_free_port_is_taken(monkeypatch):
    monkeypatch.setattr(address, "FIRST_PORT", free := _free_port())
    with listen(None, None) as first, listen(None, None) as second:
        ports = [each.getsockname()[1] for each in (first, second)]
    assert ports[0] == free
    assert ports[1] > free


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_temporary_folder_that_is_a_file_is_one_sentence(tmp_path):
    file = tmp_path / "file"
    file.touch()
    code, said = outcome("--port", "0", GRADIO_TEMP_DIR=str(file))
    assert code == 1
    assert len(said) == 1
    assert str(file) in said[0]


def test_gradio_s_default_folder_may_be_another_s_and_a_proxy_may_be_set(start, tmp_path):
    (tmp_path / "gradio").touch()
    page = start(
        "--port", "0", fake_seconds=0, TMPDIR=str(tmp_path), GRADIO_TEMP_DIR="",
        HTTP_PROXY="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9",
    ).answers()  # fmt: skip
    with page.client() as client:
        picture = {"files": ("own.jpg", Path(EXAMPLES[0].path).read_bytes(), "image/jpeg")}
        sent = client.post("/gradio_api/upload", files=picture)
        assert sent.status_code == 200
        asked = {**PHOTOGRAPH, "source": {"path": sent.json()[0]}}
        assert ask(client, "encode", asked).json()["ok"]
        # An open page keeps a stream open, and does not keep the server.
        with client.stream("GET", "/gradio_api/heartbeat/s") as stream:
            next(stream.iter_text())
            code, said = page.end(signal.SIGINT)
    assert code == 0, said
    assert "Traceback" not in said
    assert runs_in(tmp_path) == []
