"""Measures how long the page takes to start, and how much of that is imports."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from asa_viz.bench.inputs import Options
from asa_viz.bench.report import Goal, Line
from asa_viz.measuring import medians

START = Goal(4, of="ours")

_ROOT = Path(__file__).parents[2]
_HOST = "127.0.0.1"
_PATIENCE = 120.0
_MOST_ROUNDS = 3


def startup_lines(options: Options) -> Iterator[Line]:
    """Measure the page's start against a process that only imports what the page imports."""
    rounds = min(options.rounds, _MOST_ROUNDS)
    taken = medians({"ours": _page_seconds, "peer": _import_seconds}, rounds)
    yield Line(
        "page, from its start until it answers", "seconds", taken["ours"], taken["peer"],
        "its imports alone", START,
    )  # fmt: skip


def _page_seconds() -> float:
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port = free.getsockname()[1]

    def answers() -> bool:
        # The socket is open from the first moment; requests are answered once everything is
        # imported.
        visitor = HTTPConnection(_HOST, port, timeout=_PATIENCE)
        try:
            visitor.request("GET", "/healthz")
            return visitor.getresponse().status == HTTPStatus.OK
        except OSError:
            return False
        finally:
            visitor.close()

    return _seconds_until(answers, "-m", "app", "--host", _HOST, "--port", str(port))


def _import_seconds() -> float:
    return _seconds_until(None, "-c", "import app.run, os; os._exit(0)")


def _seconds_until(reached: Callable[[], bool] | None, *arguments: str) -> float:
    """Return the seconds until `reached` or until the process's end; then end the process.

    Raises:
        RuntimeError: the process failed, or did not get there in time.
    """
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, *arguments], cwd=_ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while time.perf_counter() - start < _PATIENCE:
            # It may wait for an answer for seconds: the clock is read behind it.
            if reached is not None and reached():
                return time.perf_counter() - start
            if process.poll() is not None:
                if reached is None and process.returncode == 0:
                    return time.perf_counter() - start
                raise RuntimeError(f"It ended with {process.returncode}: {' '.join(arguments)}")
            time.sleep(0.01)
        raise RuntimeError(f"Not there after {_PATIENCE:.0f} s: {' '.join(arguments)}")
    finally:
        # SIGINT lets the page delete its temporary folder; where interrupts are ignored, it is
        # killed.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
