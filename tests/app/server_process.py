"""`python -m app` as a process of its own, with or without the network that ships."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
# Imports take long on a busy machine.
PATIENCE = 240

# The page around a network that needs no time to load, but as long as it is told to encode.
WITH_FAKE = """
import os, sys, time, types
from pathlib import Path

class Session:
    size_in_bytes = 1000
    scales = ()

class Fake:
    card = types.SimpleNamespace(shapes=((360, 480),))

    def encode(self, picture):
        # The probe of readiness hands in an array, a visitor's picture comes with its notes.
        if hasattr(picture, "notes"):
            Path(os.environ["ASA_BEGUN"]).touch()
            time.sleep(float(os.environ["ASA_SECONDS"]))
        return Session()

# In place of all that imports torch.
late = types.ModuleType("app.torch_imports")
late.load = lambda name, device: Fake()
late.pack = lambda session: bytes(5000)
late.cuda_is_there = lambda: False
sys.modules["app.torch_imports"] = late
from app.__main__ import main
main()
"""


class Page:
    """A running page: its `address`, and what it has said so far."""

    def __init__(
        self,
        temporary,
        *arguments,
        fake_seconds=None,
        at=ROOT,
        command=("-m", "app"),
        **environment,
    ):
        self.folder = Path(temporary)
        self.folder.mkdir(exist_ok=True)
        self.begun = self.folder / "begun"
        if fake_seconds is not None:
            command = ["-c", WITH_FAKE]
        environment = {
            **os.environ,
            "GRADIO_TEMP_DIR": str(self.folder),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "ASA_SECONDS": str(fake_seconds or 0),
            "ASA_BEGUN": str(self.begun),
            **environment,
        }
        self.process = subprocess.Popen(
            [sys.executable, *command, *arguments], cwd=at, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.said = []
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def _listen(self):
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    @property
    def address(self):
        """Where the page is, as soon as it says so."""
        return self._waited(
            lambda: next((line.split()[-1] for line in self.said if "http://" in line), None)
        )

    def answers(self):
        """Wait until the page answers."""
        address = self.address

        def asked():
            try:
                return httpx.get(f"{address}/config", timeout=PATIENCE, trust_env=False)
            except httpx.TransportError:
                return None

        assert self._waited(asked).status_code == 200
        return self

    def _waited(self, found):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if (value := found()) is not None:
                return value
            assert self.process.poll() is None, self.said
            time.sleep(0.05)
        raise TimeoutError(self.said)

    def wait_for(self, path):
        self._waited(lambda: path.exists() or None)

    def client(self):
        return httpx.Client(base_url=self.address, timeout=PATIENCE, trust_env=False)

    def send(self, name):
        self.process.send_signal(name)

    def end(self, name=signal.SIGTERM):
        """Send a signal, and return the exit code and all that was said."""
        if self.process.poll() is None:
            self.send(name)
        return self.ended()

    def ended(self):
        code = self.process.wait(PATIENCE)
        self._listening.join(PATIENCE)
        self.process.stdout.close()
        return code, "\n".join(self.said)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        return self.ended()


def component_of(client):
    """The number under which the page's one component answers questions."""
    (number,) = (
        each["id"]
        for each in client.get("/config").json()["components"]
        if each["props"].get("elem_id") == "viewer"
    )
    return number


def question(name, data, component, session="s"):
    """What the viewer sends for a question."""
    return {"data": data, "fn_name": name, "component_id": component, "session_hash": session}


def ask(client, name, data, component=None, **more):
    component = component_of(client) if component is None else component
    body = question(name, data, component)
    return client.post("/gradio_api/component_server", json=body, **more)
