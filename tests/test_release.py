"""What is built and shipped: locked requirements, the container, and promises that tests hold."""

import ast
import fnmatch
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()


def locked():
    """The version and the digests of each locked package."""
    blocks = re.findall(r"^([a-z][\w.-]*)==(\S+)((?: \\\n    --hash=\S+)+)$", LOCK, re.MULTILINE)
    return {name: (version, digests) for name, version, digests in blocks}


def requirements():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_every_requirement_is_locked_within_its_bounds_and_with_digests():
    packages = locked()
    for each in requirements():
        # It comes from an index of its own, one for each kind of machine.
        if each.name != "torch":
            version, _ = packages[each.name.replace("_", "-")]
            assert each.specifier.contains(version), each
    assert all("--hash=sha256:" in digests for _, digests in packages.values())
    assert len(packages) == len(re.findall(r"^\w", LOCK, re.MULTILINE)) > 50
    assert "torch" not in packages


def test_the_locked_file_names_no_server_and_no_folder():
    assert not re.search(r"://|^-|file:|/", LOCK, re.MULTILINE)


def test_opencv_without_windows_is_unpacked_last():
    # pip unpacks what depends on the same alone in the order of names, the last one first.
    names = sorted((name for name in locked() if name.startswith("opencv")), reverse=True)
    assert names == ["opencv-python", "opencv-contrib-python-headless"]


def test_the_container_runs_as_nobody_and_says_whether_it_is_ready():
    kinds = [line.split(" ", 1) for line in DOCKERFILE if line and line[0].isupper()]
    steps = {kind: rest for kind, rest in kinds if kind not in ("RUN", "COPY", "ENV")}
    assert re.fullmatch(r"python:3\.\d+-slim", steps["FROM"])
    assert steps["ARG"] == "DEVICE=cpu"
    assert steps["USER"] not in ("root", "0")
    assert "/readyz" in steps["HEALTHCHECK"]
    assert steps["CMD"] == '["python", "-m", "app"]'
    order = [kind for kind, _ in kinds]
    assert order.index("USER") > max(k for k, kind in enumerate(order) if kind == "RUN")
    (installing,) = [rest for kind, rest in kinds if kind == "RUN" and "pip install" in rest]
    assert "--require-hashes -r requirements.lock" in installing
    assert "cpu)" in installing
    assert "cuda)" in installing


def test_only_what_the_page_needs_goes_into_the_container():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    taken = {rule[1:] for rule in rules if rule.startswith("!")}
    assert all((ROOT / name).exists() for name in taken)
    copied = re.findall(r"^COPY (.*) \./?$", "\n".join(DOCKERFILE), re.MULTILINE)
    assert copied
    for name in " ".join(copied).split():
        assert name == "." or name in taken
    assert {"app", "asa_viz", "checkpoints"} <= taken
    assert not taken & {"tests", ".git", "docs"}
    ignored = [rule for rule in rules[1:] if not rule.startswith("!")]
    assert any(fnmatch.fnmatch("app/__pycache__", rule) for rule in ignored)


PROMISES = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")


def test_every_promise_names_a_test_that_is_there():
    rows = [line for line in PROMISES.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(rows) >= 10
    for row in rows:
        named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", row)
        assert named, row
        for file, name in named:
            functions = {
                each.name
                for each in ast.parse((ROOT / file).read_text(encoding="utf-8")).body
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            assert name in functions, f"{file} has no {name}"


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/hosting.md", "docs/promises.md"])
def test_links_of_the_host_s_pages_lead_somewhere(page):
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (folder / link).exists()] == []
