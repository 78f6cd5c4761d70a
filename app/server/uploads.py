"""Visitors' pictures: kept as long as they are asked about, and within a total."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

KEPT_SECONDS = 3600
MOST_BYTES = 2 * 2**30
SWEEPING_SECONDS = 60


def keep(path: Path) -> None:
    """Note that a picture has been asked about just now."""
    # One that is gone is said to be so by whoever opens it.
    with suppress(OSError):
        os.utime(path)


class Sweeper:
    """Deletes files that nobody has asked about for an hour; over a total the oldest go."""

    def __init__(
        self, folder: Path, seconds: float = KEPT_SECONDS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._most_bytes = most_bytes

    def start(self) -> None:
        """Sweep now, and every minute from now on, in a thread."""
        threading.Thread(target=self._go_on, name="sweeper", daemon=True).start()

    def sweep(self) -> None:
        """Delete what is too old or too much, and the folders that are empty by that."""
        oldest_allowed = time.time() - self._seconds
        total = 0
        for asked, size, path in sorted(self._files(), reverse=True):
            total += size
            if asked < oldest_allowed or total > self._most_bytes:
                with suppress(OSError):
                    path.unlink()
                total -= size
        for folder in self._folder.iterdir():
            # One that a picture is just being put into is young.
            with suppress(OSError):
                if folder.is_dir() and folder.stat().st_mtime < time.time() - SWEEPING_SECONDS:
                    folder.rmdir()

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for parent, _, names in os.walk(self._folder):
            for name in names:
                path = Path(parent, name)
                with suppress(OSError):
                    about = path.lstat()
                    yield about.st_mtime, about.st_size, path

    def _go_on(self) -> None:
        while True:
            with suppress(OSError):
                self.sweep()
            time.sleep(SWEEPING_SECONDS)
