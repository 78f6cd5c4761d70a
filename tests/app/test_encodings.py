"""The stored encodings: found by name alone, and what the command would write today."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load

import asa_viz
from app import encodings
from app.encodings import stored
from app.gallery import EXAMPLES
from asa_viz.attention.row import SparseAttention
from asa_viz.checkpoints import DEFAULT, FOLDER
from asa_viz.networks.checkpoint import Card

STEMS = [Path(example.file).stem for example in EXAMPLES]


def described(path):
    with safe_open(path, "np") as file:
        return json.loads(file.metadata()["session"])


@pytest.mark.parametrize("example", EXAMPLES, ids=STEMS)
def test_every_photograph_is_stored_as_the_default_network_sees_it_today(example):
    """By the digests of what it was made from: the network's file and the photograph's."""
    path = stored(DEFAULT, Path(example.file).stem)
    photograph = Path(example.path).read_bytes()
    description = described(path)
    assert description["network"] == DEFAULT
    assert description["half"] is True
    assert description["made_from"] == {
        "checkpoint_sha256": Card.read(FOLDER / f"{DEFAULT}.json").sha256,
        "photograph_sha256": hashlib.sha256(photograph).hexdigest(),
    }
    assert load(path.read_bytes())["picture"].tobytes() == photograph


def test_nothing_else_is_stored():
    files = [path for path in encodings.FOLDER.rglob("*") if path.is_file()]
    assert {(path.parent.name, path.stem) for path in files} == {(DEFAULT, stem) for stem in STEMS}


@pytest.mark.parametrize(
    ("network", "stem"),
    [
        (DEFAULT, "no_such_photograph"),
        ("no_such_network", STEMS[0]),
        ("", f"{DEFAULT}/{STEMS[0]}"),
        (".", f"{DEFAULT}/{STEMS[0]}"),
        (f"../encodings/{DEFAULT}", STEMS[0]),
        (DEFAULT, f"../{DEFAULT}/{STEMS[0]}"),
        (DEFAULT, f"./{STEMS[0]}"),
        (str(encodings.FOLDER / DEFAULT), STEMS[0]),
    ],
)
def test_what_is_not_stored_is_not_found(network, stem):
    assert stored(network, stem) is None


@pytest.mark.slow
def test_half_precision_keeps_what_is_shown():
    """Of all pairs under 1 in 10,000 change sides; where a row's support stays, its weights do.

    A row that gains or loses a cell is renormalised: in a support of two that is a factor of two.
    """
    segmenter = asa_viz.load(DEFAULT, device="cpu")
    example = EXAMPLES[0]
    session = segmenter.encode(Path(example.path))
    path = stored(DEFAULT, Path(example.file).stem)
    tensors = load(path.read_bytes())
    names = ("query", "key", "log_normaliser", "nonlocal_scale", "local_scale")
    exact = session.attention
    rounded = SparseAttention(
        *(torch.from_numpy(tensors[name].astype(np.float32)) for name in names),
        exact.height, exact.width, exact.window,
    )  # fmt: skip
    every = slice(0, session.grid.size)
    one, other = (each.weights(every) for each in (exact, rounded))
    moved = (one > 0) ^ (other > 0)
    assert moved.float().mean() < 1e-4
    assert moved.sum() < 1e-3 * (one > 0).sum()
    kept = ~moved.any(-1)
    assert kept.float().mean() > 0.9
    ratio = (other[kept] / one[kept])[one[kept] > 0]
    # Similarities of up to some twenty, each of two factors rounded at the eleventh bit.
    assert (ratio - 1).abs().max() < 1e-2
    assert np.array_equal(tensors["working_labels"], session.segmentation.working_labels)
    # The same numbers as the command would write, up to another machine's rounding.
    assert np.allclose(tensors["query"], exact.query, rtol=2e-3, atol=2e-3)
    assert np.allclose(tensors["key"], exact.key, rtol=2e-3, atol=2e-3)
