"""The notebooks of the documentation run from any folder, and are kept without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def outputs_of(book):
    return [output for cell in book.cells for output in cell.get("outputs", [])]


def test_there_are_three():
    assert [path.stem for path in NOTEBOOKS] == ["figure_for_a_paper", "first_look", "own_network"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path):
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert outputs_of(book) == []
    assert all(cell.get("execution_count") is None for cell in book.cells)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_in_another_folder(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(path, as_version=4)
    client = NotebookClient(book, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = [output["data"] for output in outputs_of(book) if "data" in output]
    kinds = {kind for data in shown for kind in data}
    if path.stem == "first_look":
        pages = [data["text/html"] for data in shown if "<iframe" in data.get("text/html", "")]
        assert len(pages) == 2
        assert "application/vnd.plotly.v1+json" in kinds
        assert "application/vnd.jupyter.widget-view+json" in kinds
        assert any("cell" in str(data) for data in shown)
    elif path.stem == "own_network":
        assert "('dnl',)" in str(shown)
        said = [output["text"] for output in outputs_of(book) if output.get("name") == "stdout"]
        assert "without attention" in said[-1]
    else:
        assert "image/png" in kinds
        for name, start in {
            "attention.pdf": b"%PDF", "attention.svg": b"<?xml", "twice.pdf": b"%PDF",
            "one.pdf": b"%PDF",
        }.items():  # fmt: skip
            assert (tmp_path / name).read_bytes().startswith(start)
