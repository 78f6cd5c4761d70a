"""Two replicas behind the load balancer of the documentation: a visitor stays with one of them."""

import io
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from app.gallery import EXAMPLES
from tests.app.server_process import PATIENCE, Page, ask, component_of

CONFIGURATION = Path(__file__).parents[2] / "docs" / "examples" / "haproxy.cfg"
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
NETWORK = "asa_mobilenetv2_outdoor"

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed")


@pytest.fixture
def replicas(tmp_path):
    pages = [
        Page(tmp_path / name, "--port", "0", "--behind-proxy", fake_seconds=0)
        for name in ("one", "two")
    ]
    yield [page.answers() for page in pages]
    for page in pages:
        page.kill()


@pytest.fixture
def address(replicas):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    one, two = (urlsplit(page.address).netloc for page in replicas)
    environment = {**os.environ, "BIND": bind, "ONE": one, "TWO": two}
    balancer = subprocess.Popen(
        [HAPROXY, "-f", CONFIGURATION], env=environment, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + PATIENCE
    while not _listens(*bind.split(":")):
        assert balancer.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    yield f"http://{bind}"
    balancer.send_signal(signal.SIGTERM)
    balancer.wait(60)


def _listens(host, port):
    with socket.socket() as looking:
        return looking.connect_ex((host, int(port))) == 0


def visitor(address):
    return httpx.Client(base_url=address, timeout=60, trust_env=False, verify=False)


def drawn(number):
    """A picture that no other number has."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (number, 90, 120)).save(file, "PNG")
    return file.getvalue()


def show_own_picture(client, component, content):
    """Send a picture and let it be encoded; returns the replica that has it, and the answer."""
    files = {"files": ("own.png", content, "image/png")}
    sent = client.post("/gradio_api/upload", files=files).json()[0]
    asked = {"source": {"path": sent}, "network": NETWORK}
    answer = ask(client, "encode", asked, component).json()
    assert client.get(f"/gradio_api/file={answer['file']}").status_code == 200
    return sent.split("/asa-viz-")[0].rsplit("/", 1)[1], asked


def test_a_visitor_stays_with_one_replica_and_goes_on_at_the_other_when_it_ends(address, replicas):
    seen = set()
    for number in range(6):
        with visitor(address) as client:
            assert client.get("/").status_code == 200
            component = component_of(client)
            # Each later question finds the picture: it is asked of the replica that has it.
            homes = {
                show_own_picture(client, component, drawn(4 * number + k))[0] for k in range(4)
            }
            assert len(homes) == 1
            seen |= homes
    assert seen == {"one", "two"}
    with visitor(address) as client:
        client.get("/")
        component = component_of(client)
        home, asked = show_own_picture(client, component, drawn(99))
        replicas[["one", "two"].index(home)].end()
        # The other does not have the picture, says so, and is sent it again.
        assert ask(client, "encode", asked, component).json() == {
            "ok": False, "error": "error.gone",
        }  # fmt: skip
        assert show_own_picture(client, component, drawn(99))[0] != home
        example = {"source": EXAMPLES[0].name, "network": NETWORK}
        assert ask(client, "encode", example, component).json()["ok"]
