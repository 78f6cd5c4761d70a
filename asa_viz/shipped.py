"""What ships, by name and file; looking needs neither torch nor mmsegmentation.

Networks of one's own are found beside those that ship: in the folder that ASA_VIZ_CHECKPOINTS, or
`--checkpoints` of a command, names.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).resolve().parent
# An installed package carries the folder; in the repository it lies beside the package.
FOLDER = next(
    (folder for folder in (_HERE / "checkpoints", _HERE.parent / "checkpoints") if folder.is_dir()),
    _HERE.parent / "checkpoints",
)
DEFAULT = "asa_mobilenetv2_voc2012"
OWN_FOLDER = "ASA_VIZ_CHECKPOINTS"

# Networks of the user's own, by name, beside those in the folders: see `offer`.
_offered: dict[str, "Offered"] = {}

HEADS_FOLDER = FOLDER / "heads"
HEADS_CARD = "card.json"
HEADS_PROJECTION = "projection.safetensors"


class Offered(NamedTuple):
    """Trusted local files of a network of mmsegmentation, and which attention is shown of it."""

    config: str
    checkpoint: str
    attention: str | None = None


def offer(files: Offered) -> str:
    """Let a network be loaded by the name of its config, which is returned.

    Raises:
        ValueError: one of the files is not there, or a network of that name is.
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
    """Return the files offered under a name; None where there are none."""
    return _offered.get(name) if isinstance(name, str) else None


def folders() -> list[Path]:
    """Return where networks are looked for: the user's own folder, if there is one, then ours."""
    own = os.environ.get(OWN_FOLDER)
    return [*([Path(own).expanduser()] if own else []), FOLDER]


def available() -> list[str]:
    """Return the names of the networks, the default first."""
    names = sorted({path.stem for folder in folders() for path in folder.glob("*.safetensors")})
    return [*_offered, *sorted(names, key=lambda name: name != DEFAULT)]


def has_heads() -> bool:
    """Whether there are trained heads to compare methods with."""
    return (HEADS_FOLDER / HEADS_CARD).is_file()


def digest_of(path: Path) -> str:
    """Return the SHA-256 digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def damaged_networks(folder: Path = FOLDER) -> list[str]:
    """Return the files of the networks that do not match the digest on their card."""
    return [path.name for path in sorted(folder.glob("*.safetensors")) if not _matches_card(path)]


def damaged_heads(folder: Path = HEADS_FOLDER) -> list[str]:
    """Return the files of the heads that do not match the digests on the heads' card."""
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
