"""Put one fault after another into a copy of the project and run its tests: `make mutants`.

A fault that its tests do not find survives; unless the list says why, that is an error.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants.faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
TESTS_FAILED, NO_TESTS = 1, 5
# Installed, not copied: it is linked.
LINKED = (".venv", "node_modules")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only faults whose name or file has one of these")
    words = parser.parse_args().words
    faults = [
        fault
        for fault in FAULTS
        if not words or any(word in fault.name or word in fault.file for word in words)
    ]
    with tempfile.TemporaryDirectory() as folder:
        copy = _copied(Path(folder, "project"))
        survivors = [fault for fault in faults if not _found(fault, copy)]
    print(f"{len(faults) - len(survivors)} of {len(faults)} faults were found.")
    if unexplained := [fault.name for fault in survivors if not fault.survives]:
        raise SystemExit("Not found: " + "; ".join(unexplained))


def _copied(folder: Path) -> Path:
    """Copy what the project's files are now, changes that are not committed included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (source := ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for name in LINKED:
        if (ROOT / name).exists():
            (folder / name).symlink_to((ROOT / name).resolve())
    return folder


def _found(fault: Fault, copy: Path) -> bool:
    """Whether the fault's tests turn red, and only because of the fault."""
    path = copy / fault.file
    text = path.read_text(encoding="utf-8")
    path.write_text(mutated(fault, text), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    outcome = subprocess.run(
        [*command, *_arguments(fault.tests)], cwd=copy, capture_output=True, text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, check=False,
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")
    if outcome.returncode not in (0, TESTS_FAILED):
        raise SystemExit(f"{fault.name}: the tests did not run.\n{outcome.stdout[-2000:]}")
    found = outcome.returncode == TESTS_FAILED
    print(f"{'found' if found else 'NOT FOUND':9} {fault.name}", flush=True)
    return found


def mutated(fault: Fault, text: str) -> str:
    """Return the text with the fault in it.

    Raises:
        ValueError: what it replaces does not stand in the text exactly once.
    """
    if (count := text.count(fault.before)) != 1:
        raise ValueError(f"{fault.name}: {fault.before!r} stands {count} times in {fault.file}.")
    return text.replace(fault.before, fault.after)


def _arguments(tests: str) -> list[str]:
    """Split arguments of pytest; what follows -k is one."""
    paths, _, words = tests.partition(" -k ")
    return [*paths.split(), *(["-k", words] if words else [])]


if __name__ == "__main__":
    main()
