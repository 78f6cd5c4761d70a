"""Deletes visitors' uploads: those unused for an hour, and the oldest over a total size."""

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
    """Mark an upload as used now."""
    # A missing file is reported by whoever opens it.
    with suppress(OSError):
        os.utime(path)


class Sweeper:
    """Deletes uploads unused for an hour; over a total size the oldest first."""

    def __init__(
        self, folder: Path, seconds: float = KEPT_SECONDS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._most_bytes = most_bytes

    def start(self) -> None:
        """Start a thread that sweeps now and then every minute."""
        threading.Thread(target=self._go_on, name="sweeper", daemon=True).start()

    def sweep(self) -> None:
        """Delete uploads that are too old or too many, and the folders left empty."""
        oldest_allowed = time.time() - self._seconds
        total = 0
        for asked, size, path in sorted(self._files(), reverse=True):
            total += size
            if asked < oldest_allowed or total > self._most_bytes:
                with suppress(OSError):
                    path.unlink()
                total -= size
        for folder in self._folder.iterdir():
            # A folder that has just been created for an upload may still be empty: young ones stay.
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
