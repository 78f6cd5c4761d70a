"""As many files may be open as connections are allowed, where the system lets a process say so."""

import pytest

from app.server.open_files import BESIDE, allow_connections

resource = pytest.importorskip("resource")


@pytest.mark.parametrize(
    ("limits", "asked", "set_to"),
    [
        ((1024, 10**6), 4000, (4000 + BESIDE, 10**6)),
        ((1024, 2048), 4000, (2048, 2048)),
        ((9000, 10**6), 4000, None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 4000, None),
        ((1024, resource.RLIM_INFINITY), 4000, (4000 + BESIDE, resource.RLIM_INFINITY)),
    ],
)
def test_the_limit_is_raised_as_far_as_needed_and_allowed(monkeypatch, limits, asked, set_to):
    said = []
    monkeypatch.setattr(resource, "getrlimit", lambda what: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda what, new: said.append(new))
    allow_connections(asked)
    assert said == ([set_to] if set_to else [])
