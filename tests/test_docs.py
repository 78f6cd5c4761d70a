"""The documentation builds, and the figures that it states are those that were measured."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from asa_viz.checkpoints import available
from asa_viz.compare.table import markdown
from asa_viz.networks import model_cards

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")


def _cells(name: str) -> list[str]:
    """What the table of shipped networks has to say of one, from its card."""
    card = json.loads((ROOT / "checkpoints" / f"{name}.json").read_text(encoding="utf-8"))
    figures = card["metrics"]["val"]
    without = figures["without_attention"]
    own = [
        figures[f"own_class_{kind}"] for kind in ("sparse", "dense", "top_k", "one_sided", "box")
    ]
    is_dense = figures["support"] == 1
    return [
        f"{figures['mIoU_scored']:.3f}",
        f"{without['mIoU_scored']:.3f}",
        f"{100 * without['flips']:.1f} %",
        f"{figures['pixel_accuracy']:.3f}",
        "1" if is_dense else f"{figures['support']:.3f}",
        ", ".join(f"{share:.3f}" for share in (own[:1] if is_dense else own)),
    ]


@pytest.mark.parametrize("page", ["README.md", "docs/results.md"])
@pytest.mark.parametrize("name", available())
def test_the_table_of_networks_has_the_figures_of_their_cards(page, name):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"| `{name}` | {' | '.join(_cells(name))} |" in text.splitlines()


def test_the_model_cards_for_people_are_those_beside_the_weights(tmp_path):
    model_cards.main([str(tmp_path / "models.md")])
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert page == (tmp_path / "models.md").read_text(encoding="utf-8")
    assert all(f"## {name}\n" in page for name in available())


def test_the_comparisons_are_printed_as_they_were_measured():
    rows = []
    for name in ("compare.json", "compare_camvid.json"):
        measured = json.loads((ROOT / "docs" / name).read_text(encoding="utf-8"))
        of_file = [line for line in markdown(measured).splitlines() if line.startswith("| ")]
        assert len(of_file) > len(measured["rows"])
        rows += of_file
    assert [row for row in rows if row not in RESULTS.splitlines()] == []
    stated = [line for line in RESULTS.splitlines() if re.match(r"\| [a-z]\w+ \| \d", line)]
    assert stated
    assert set(stated) <= set(rows)


def test_the_readme_is_short_and_its_links_lead_somewhere():
    assert len(README.splitlines()) <= 120
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert len(links) >= 5
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "reference" / "index.html").read_text(encoding="utf-8")
    assert "adaptive_sparse_attention" in page
