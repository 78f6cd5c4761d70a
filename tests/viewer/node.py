"""Node.js, which runs the viewer's scripts outside a browser."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

# From these on a file is known for a module by what stands in it.
_OLDEST = {20: 19, 22: 7}


@cache
def node() -> str | None:
    """Return the program, or None where there is none that is new enough."""
    program = shutil.which("node")
    if program is None:
        return None
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    major, minor = map(int, re.findall(r"\d+", version.stdout)[:2])
    new_enough = major > max(_OLDEST) or minor >= _OLDEST.get(major, 1000)
    return program if new_enough else None


needs_node = pytest.mark.skipif(
    node() is None, reason="Node.js 20.19, 22.7 or newer is not on the PATH"
)


def run(script: str | Path, *arguments: object) -> None:
    """Run one of the scripts in this folder."""
    path = Path(__file__).parent / script
    command = [str(node()), "--test-reporter=spec", str(path), *map(str, arguments)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, f"{path.name}:\n{result.stdout}{result.stderr}"
