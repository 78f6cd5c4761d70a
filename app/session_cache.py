"""LRU cache of encoded sessions, keyed by (file, network)."""

import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from cachetools import LRUCache

if TYPE_CHECKING:
    from asa_viz.session import Session

Encode = Callable[[str, str], "Session"]


class CachedEncoder:
    """Encodes pictures' files under a network, one at a time, and caches the sessions."""

    def __init__(self, encode: Encode, cache: "SessionCache") -> None:
        self._encode = encode
        self._cache = cache
        self._encoding = threading.Lock()

    def session(self, file: str, network: str) -> "Session":
        """Return the session from the cache, or encode the file.

        Raises:
            ImageError: the picture cannot be used.
            OSError: the file has been deleted.
        """
        session = self.cached(file, network)
        if session is not None:
            return session
        # One at a time: a network's pass uses the whole machine, and two at once take longer.
        with self._encoding:
            session = self.cached(file, network)
            if session is None:
                session = self._encode(file, network)
                self._cache.put((file, network), session)
            return session

    def cached(self, file: str, network: str) -> "Session | None":
        """Return the session if it is cached; never waits for an encoding."""
        return self._cache.get((file, network))


class SessionCache:
    """Thread-safe LRU cache of sessions, bounded by `max_bytes`.

    A larger session counts as `max_bytes`, so that it is kept as the only one: its visitor needs
    it.
    """

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self._sessions: LRUCache[Hashable, Session] = LRUCache(
            max(max_bytes, 1), lambda session: max(1, min(session.size_in_bytes, max_bytes))
        )
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def size_in_bytes(self) -> int:
        """The memory of all sessions."""
        return int(self._sessions.currsize)

    def put(self, key: Hashable, session: "Session") -> None:
        """Store a session under `key`, replacing an earlier one."""
        with self._lock:
            self._sessions[key] = session

    def get(self, key: Hashable) -> "Session | None":
        """Return the session under `key`, or None if it is unknown or has been evicted."""
        with self._lock:
            return self._sessions.get(key)
