"""LRU cache of packets as files, keyed by (file, network); the browser fetches them."""

import tempfile
import threading
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cachetools import LRUCache
from typing_extensions import override

MOST_BYTES = 512 * 2**20


class _File(NamedTuple):
    path: Path
    size: int


class _Files(LRUCache[Hashable, _File]):
    """LRU cache that deletes the files of evicted and replaced entries."""

    @override
    def __delitem__(self, key: Hashable) -> None:
        path = self[key].path
        super().__delitem__(key)
        with suppress(OSError):
            path.unlink()


class PacketCache:
    """Packet files under random names; over `max_bytes` the least recently used are deleted.

    A packet larger than `max_bytes` is kept as the only one, so that its visitor can see it.
    """

    def __init__(self, folder: Path, max_bytes: int = MOST_BYTES) -> None:
        self.folder = folder.resolve()
        self._files = _Files(max_bytes, lambda file: min(file.size, max_bytes))
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> str | None:
        """Return the path of a packet, or None where it is unknown or has been evicted."""
        with self._lock:
            file = self._files.get(key)
            if file is None or file.path.is_file():
                return str(file.path) if file else None
            del self._files[key]
            return None

    def put(self, key: Hashable, data: bytes) -> str:
        """Write a packet and return its path.

        Raises:
            OSError: the disk is full; the partial file is deleted.
        """
        with self._lock:
            if key in self._files:
                del self._files[key]
            # Evicted before the file is written: the total on the disk is never over the bound.
            while self._files and self._files.currsize + len(data) > self._files.maxsize:
                self._files.popitem()
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
            self._files[key] = _File(path, len(data))
            return str(path)
