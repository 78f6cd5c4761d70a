"""Raises the process's limit of open files to what the connections of a large class need."""

import sys
from contextlib import suppress

# File descriptors for anything but connections: files being sent, libraries, the event loop.
BESIDE = 500


def allow_connections(count: int) -> None:
    """Raise the soft limit of open files for `count` connections, up to the hard limit."""
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
