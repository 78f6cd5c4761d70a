"""The digest of every file of weights is the one on its card."""

import json
import shutil

from asa_viz.checkpoints import (
    DEFAULT,
    FOLDER,
    HEADS_CARD,
    damaged_heads,
    damaged_networks,
    digest_of,
    has_heads,
)


def test_what_ships_is_whole():
    assert damaged_networks() == []
    assert not has_heads() or damaged_heads() == []


def test_one_flipped_bit_is_found(tmp_path):
    for path in FOLDER.glob(f"{DEFAULT}.*"):
        shutil.copy(path, tmp_path)
    assert damaged_networks(tmp_path) == []
    weights = tmp_path / f"{DEFAULT}.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    assert damaged_networks(tmp_path) == [weights.name]
    # A card without a digest does not vouch for a file.
    weights.with_suffix(".json").write_text("[]")
    assert damaged_networks(tmp_path) == [weights.name]


def test_damaged_heads_are_named(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    digests = {name: digest_of(tmp_path / name) for name in "ab"} | {"c": "0"}
    (tmp_path / HEADS_CARD).write_text(json.dumps({"sha256": digests}))
    assert damaged_heads(tmp_path) == ["c"]
    (tmp_path / "a").write_bytes(b"other")
    assert damaged_heads(tmp_path) == ["a", "c"]
