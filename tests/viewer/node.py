"""Node.js, which runs the viewer's modules outside a browser."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

# From these on a file is known for a module by what stands in it.
_OLDEST = {20: 19, 22: 7}
_FOLDER = Path(__file__).parent
ROOT = _FOLDER.parents[1]


@cache
def node() -> str | None:
    """Return the program, or None where none is new enough or `npm ci` has not been run."""
    program = shutil.which("node")
    if program is None or not (ROOT / "node_modules" / "esbuild").is_dir():
        return None
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    major, minor = map(int, re.findall(r"\d+", version.stdout)[:2])
    new_enough = major > max(_OLDEST) or minor >= _OLDEST.get(major, 1000)
    return program if new_enough else None


needs_node = pytest.mark.skipif(
    node() is None, reason="Node.js 20.19, 22.7 or newer is not on the PATH, or `npm ci` not run"
)


def run(script: str | Path, *arguments: object) -> None:
    """Run one of the scripts in this folder."""
    path = _FOLDER / script
    loader = ["--import", (_FOLDER / "typescript.mjs").as_uri()]
    command = [str(node()), *loader, "--test-reporter=spec", str(path), *map(str, arguments)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, f"{path.name}:\n{result.stdout}{result.stderr}"
