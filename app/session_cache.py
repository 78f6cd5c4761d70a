"""Sessions of pictures: found again where they are known, encoded where they are not."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asa_viz.session import Session

Encode = Callable[[str, str], "Session"]


class CachedEncoder:
    """Hands out the session of a picture's file under a network."""

    def __init__(self, encode: Encode, store: "SessionCache") -> None:
        self._encode = encode
        self._store = store
        self._encoding = threading.Lock()

    def session(self, file: str, network: str) -> "Session":
        """Return the session, encoded anew where the store has let it go.

        Raises:
            ImageError: the picture cannot be used.
            OSError: the file has been deleted.
        """
        session = self.known(file, network)
        if session is not None:
            return session
        # One at a time: a network's pass takes all the machine gives, and two at once take longer.
        with self._encoding:
            session = self.known(file, network)
            if session is None:
                session = self._encode(file, network)
                self._store.put((file, network), session)
            return session

    def known(self, file: str, network: str) -> "Session | None":
        """Return the session where it is in the store; nobody waits for this."""
        return self._store.get((file, network))


class SessionCache:
    """Sessions by what they were made from; over `max_bytes` the least recently used go.

    A session larger than the whole store is still kept, alone: its visitor has to see something.
    """

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._sessions: OrderedDict[Hashable, Session] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def size_in_bytes(self) -> int:
        """The memory that all sessions take together."""
        return self._bytes

    def put(self, key: Hashable, session: "Session") -> None:
        """Keep a session under `key`, in place of one that was there."""
        with self._lock:
            self._forget(key)
            self._sessions[key] = session
            self._bytes += session.size_in_bytes
            while self._bytes > self._max_bytes and len(self._sessions) > 1:
                self._forget(next(iter(self._sessions)))

    def get(self, key: Hashable) -> "Session | None":
        """Return the session under `key`, or None if it is unknown or had to make room."""
        with self._lock:
            if key not in self._sessions:
                return None
            self._sessions.move_to_end(key)
            return self._sessions[key]

    def _forget(self, key: Hashable) -> None:
        session = self._sessions.pop(key, None)
        if session is not None:
            self._bytes -= session.size_in_bytes
