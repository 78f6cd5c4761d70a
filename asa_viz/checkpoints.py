"""Names, kinds, files and digests of the networks in `checkpoints/`, found without torch.

A user's own networks are found beside them, in the folder that ASA_VIZ_CHECKPOINTS or
`--checkpoints` of a command names.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).resolve().parent
# An installed package contains the folder; in the repository it lies beside the package.
FOLDER = next(
    (folder for folder in (_HERE / "checkpoints", _HERE.parent / "checkpoints") if folder.is_dir()),
    _HERE.parent / "checkpoints",
)
DEFAULT = "asa_mobilenetv2_outdoor"
OWN_FOLDER = "ASA_VIZ_CHECKPOINTS"

# The heads whose networks are twins, and the settings that only one of the two heads has.
_TWINS = {"ASAHead": "NonLocalHead", "NonLocalHead": "ASAHead"}
_OF_ASA = ("window", "rule", "support_target", "sparsity_weight", "local_target", "local_weight")

# The user's networks registered by `offer`, by name.
_offered: dict[str, "Offered"] = {}

HEADS_FOLDER = FOLDER / "heads"
HEADS_CARD = "card.json"
HEADS_PROJECTION = "projection.safetensors"


class Offered(NamedTuple):
    """Trusted local files of an mmsegmentation network, and which of its attentions is shown."""

    config: str
    checkpoint: str
    attention: str | None = None


def offer(files: Offered) -> str:
    """Register a network under the name of its config, and return the name.

    Raises:
        ValueError: a file is missing, or the name is taken.
    """
    for path in (files.config, files.checkpoint):
        if not Path(path).expanduser().is_file():
            raise ValueError(f"There is no file {path}.")
    name = Path(files.config).stem
    if name in available():
        raise ValueError(f"There is a network {name} already; give the config another name.")
    _offered[name] = files
    return name


def offered(name: object) -> Offered | None:
    """Return the files registered under a name, or None."""
    return _offered.get(name) if isinstance(name, str) else None


class Kind(NamedTuple):
    """What the card of a network says of it; nothing is known of a network without a card.

    `head` is the type of its decode head. `beside` is all that twins have in common: the settings
    of the model beside its attention, the classes and the training.
    """

    data_set: str | None = None
    head: str | None = None
    beside: str = ""


def kind_of(name: str) -> Kind:
    """Return what a network is, by its card."""
    try:
        folder = next(each for each in folders() if (each / f"{name}.safetensors").is_file())
        card = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        head, training = dict(card["model"]["decode_head"]), dict(card["training"])
        kind, data_set = str(head.pop("type")), training.get("data_set")
    except (OSError, ValueError, KeyError, TypeError, StopIteration, RecursionError):
        return Kind()
    training.pop("config", None)
    common = [
        card["model"] | {"decode_head": {k: v for k, v in head.items() if k not in _OF_ASA}},
        card.get("classes"),
        training,
    ]
    return Kind(str(data_set) if data_set else None, kind, json.dumps(common, sort_keys=True))


def twin_of(name: str, names: Sequence[str]) -> str | None:
    """Return the network among `names` that differs from `name` in its attention alone, or None."""
    kind = kind_of(name)
    wanted = kind._replace(head=_TWINS.get(str(kind.head)))
    if wanted.head is None:
        return None
    return next((other for other in names if kind_of(other) == wanted), None)


def folders() -> list[Path]:
    """Return the folders searched for networks: the user's own, if set, then `checkpoints/`."""
    own = os.environ.get(OWN_FOLDER)
    return [*([Path(own).expanduser()] if own else []), FOLDER]


def available() -> list[str]:
    """Return the names of the networks: the default, then its twin, then the others by data."""
    names = {path.stem for folder in folders() for path in folder.glob("*.safetensors")}
    data = kind_of(DEFAULT).data_set

    def order(name: str) -> tuple[bool, bool, str, str]:
        trained_on = kind_of(name).data_set or name
        return name != DEFAULT, trained_on != data, trained_on, name

    return [*_offered, *sorted(names, key=order)]


def has_heads() -> bool:
    """Whether there are trained heads for the comparison of methods."""
    return (HEADS_FOLDER / HEADS_CARD).is_file()


def digest_of(path: Path) -> str:
    """Return the SHA-256 digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def damaged_networks(folder: Path = FOLDER) -> list[str]:
    """Return the network files that do not match the digest on their card."""
    return [path.name for path in sorted(folder.glob("*.safetensors")) if not _matches_card(path)]


def damaged_heads(folder: Path = HEADS_FOLDER) -> list[str]:
    """Return the head files that do not match the digests on the heads' card."""
    card = json.loads((folder / HEADS_CARD).read_text(encoding="utf-8"))
    return [
        name
        for name, digest in card["sha256"].items()
        if not (folder / name).is_file() or digest_of(folder / name) != digest
    ]


def _matches_card(path: Path) -> bool:
    try:
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return card["sha256"] == digest_of(path)
    except (OSError, ValueError, KeyError, TypeError):
        return False
