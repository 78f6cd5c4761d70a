"""The Chromium that the browser tests drive; run as a program, this installs one where none starts.

In order: the one named by the environment variable CHROMIUM, one on the PATH, Playwright's own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from playwright.sync_api import Error, sync_playwright

# Chromium's sandbox refuses to run for root, which is who one is in most containers.
ARGUMENTS = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str | None:
    """Return the path of the system's browser, or None for Playwright's own."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


def starts() -> bool:
    """Whether the browser really opens; a name on the PATH may be a stub that installs one."""
    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS).close()
        except Error:
            return False
    return True


def install() -> bool:
    """Try Playwright's own browser, then Debian's; return whether one starts now."""
    return any(all(map(_succeeds, commands)) and starts() for commands in _ways())


def _ways() -> Iterator[list[list[str]]]:
    """Yield each way to a browser, as commands; what needs Debian's packages needs its root."""
    playwright = [sys.executable, "-m", "playwright"]
    download = [*playwright, "install", "chromium"]
    apt_get = shutil.which("apt-get") if ARGUMENTS else None
    if not apt_get:
        yield [download]
        return
    # The libraries only after the download: where that fails they are a long wait for nothing.
    yield [download, [*playwright, "install-deps", "chromium"]]
    yield [[apt_get, "update"], [apt_get, "install", "--yes", "chromium"]]


def _succeeds(command: list[str]) -> bool:
    """Run a command for at most ten minutes; return whether it did what it was asked."""
    environment = {
        **os.environ,
        "DEBIAN_FRONTEND": "noninteractive",
        # A host that does not answer is given up after seconds.
        "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "5000",
    }
    print("Installing a browser for the tests:", *command, flush=True)
    try:
        subprocess.run(command, check=True, env=environment, timeout=600, capture_output=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


if __name__ == "__main__" and not starts() and not install():
    sys.exit(
        "No Chromium starts here and none could be installed: "
        "install Chromium or Chrome and name its program in the environment variable CHROMIUM."
    )
