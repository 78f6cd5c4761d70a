"""Sessions of pictures: found again where they are known, encoded where they are not."""

import threading
from collections.abc import Callable

from asa_viz.session import Session, SessionStore

Encode = Callable[[str, str], Session]


class Desk:
    """Hands out the session of a picture's file under a network."""

    def __init__(self, encode: Encode, store: SessionStore) -> None:
        self._encode = encode
        self._store = store
        self._encoding = threading.Lock()

    def session(self, file: str, network: str) -> Session:
        """Return the session, encoded anew where the store has let it go.

        Raises:
            ImageError: the picture cannot be used.
            OSError: the file has been deleted.
        """
        # One at a time: a network's pass takes all the machine gives, and two at once take longer.
        with self._encoding:
            session = self._store.get((file, network))
            if session is None:
                session = self._encode(file, network)
                self._store.put((file, network), session)
            return session
