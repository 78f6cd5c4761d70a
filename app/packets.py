"""LRU cache of packets as files, keyed by (file, network); the browser fetches them."""

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 512 * 2**20


class Packets:
    """Packet files under random names; over `max_bytes` the least recently used are deleted.

    A packet larger than `max_bytes` is kept as the only one, so that its visitor can see it.
    """

    def __init__(self, folder: Path, max_bytes: int = MOST_BYTES) -> None:
        self.folder = folder.resolve()
        self._max_bytes = max_bytes
        self._files: OrderedDict[Hashable, tuple[Path, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> str | None:
        """Return the path of a packet, or None where it is unknown or has been evicted."""
        with self._lock:
            if key not in self._files:
                return None
            self._files.move_to_end(key)
            path, _ = self._files[key]
            if path.is_file():
                return str(path)
            self._forget(key)
            return None

    def put(self, key: Hashable, data: bytes) -> str:
        """Write a packet and return its path.

        Raises:
            OSError: the disk is full; the partial file is deleted.
        """
        with self._lock:
            self._forget(key)
            while self._files and self._bytes + len(data) > self._max_bytes:
                self._forget(next(iter(self._files)))
            with tempfile.NamedTemporaryFile(
                dir=self.folder, suffix=".safetensors", delete=False
            ) as file:
                path = Path(file.name)
                try:
                    file.write(data)
                    file.flush()
                except OSError:
                    path.unlink()
                    raise
            self._files[key] = (path, len(data))
            self._bytes += len(data)
            return str(path)

    def _forget(self, key: Hashable) -> None:
        if key in self._files:
            path, size = self._files.pop(key)
            self._bytes -= size
            with suppress(OSError):
                path.unlink()
