"""What ships, by name and file; looking needs neither torch nor mmsegmentation."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "checkpoints"
DEFAULT = "asa_mobilenetv2_camvid"

HEADS_FOLDER = FOLDER / "heads"
HEADS_CARD = "card.json"


def available() -> list[str]:
    """Return the names of the networks that ship, the default first."""
    names = sorted(path.stem for path in FOLDER.glob("*.safetensors"))
    return sorted(names, key=lambda name: name != DEFAULT)


def has_heads() -> bool:
    """Whether there are trained heads to compare methods with."""
    return (HEADS_FOLDER / HEADS_CARD).is_file()
