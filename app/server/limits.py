"""The limit of open files, raised to what the connections of a large class need."""

import sys
from contextlib import suppress

# Beside connections: files that are sent, libraries, sockets of the loop.
BESIDE = 500


def allow_connections(count: int) -> None:
    """Raise this process's own limit of open files for `count` connections, as far as it may be."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + BESIDE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
