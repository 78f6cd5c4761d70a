"""What a network is: its data set and its twin are those of its card, whatever its name."""

import json

import pytest

from asa_viz.checkpoints import DEFAULT, FOLDER, OWN_FOLDER, Kind, available, kind_of, twin_of

HEAD = {"type": "ASAHead", "channels": 8, "window": 5, "support_target": 0.1}
CARD = {
    "model": {"type": "EncoderDecoder", "decode_head": HEAD},
    "classes": ["road", "sky"],
    "training": {"config": "one", "data_set": "streets", "seed": 0},
}
DENSE = CARD | {
    "model": CARD["model"] | {"decode_head": {"type": "NonLocalHead", "channels": 8}},
    "training": CARD["training"] | {"config": "two"},
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a function that puts a card of one's own beside weights."""
    monkeypatch.setenv(OWN_FOLDER, str(tmp_path))

    def put(name, card):
        (tmp_path / f"{name}.safetensors").touch()
        text = card if isinstance(card, str) else json.dumps(card)
        (tmp_path / f"{name}.json").write_text(text)

    return put


def test_each_network_that_ships_has_its_twin_of_the_same_data():
    names = [name for name in available() if (FOLDER / f"{name}.json").is_file()]
    for name in names:
        twin = twin_of(name, names)
        assert twin_of(twin, names) == name
        assert kind_of(twin).data_set == kind_of(name).data_set
        assert {kind_of(each).head for each in (name, twin)} == {"ASAHead", "NonLocalHead"}


def test_a_twin_differs_in_its_attention_alone(own):
    own("sparse", CARD)
    own("dense", DENSE)
    own("other seed", DENSE | {"training": {**DENSE["training"], "seed": 1}})
    own("other classes", DENSE | {"classes": ["road", "car"]})
    names = ["other seed", "other classes", "dense", "sparse"]
    assert twin_of("sparse", names) == "dense"
    assert twin_of("dense", names) == "sparse"
    assert twin_of("other seed", names) is twin_of("other classes", names) is None
    # Only among those that are offered.
    assert twin_of("sparse", ["other seed"]) is None


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"model": {"decode_head": []}}', "[" * 10**5])
def test_nothing_is_known_of_a_network_without_a_card_that_says_it(own, card):
    own("odd", card)
    assert kind_of("odd") == kind_of("missing") == Kind()
    assert twin_of("odd", ["odd", "missing"]) is None
    assert "odd" in available()


def test_networks_are_listed_by_the_data_on_their_cards(own):
    first = {**CARD["training"], "data_set": kind_of(DEFAULT).data_set}
    own("zebra", CARD | {"training": first})
    own("a", CARD)
    names = available()
    assert names[0] == DEFAULT
    assert names.index("zebra") == 2
    # `streets` lies between `camvid` and `voc2012`.
    data = [kind_of(name).data_set for name in names[3:]]
    assert data == sorted(data)
    assert names[3:].index("a") == 2
