"""Configs of the networks, by name; `_base_` holds what several share."""

from pathlib import Path

from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE

# Bases such as "mmseg::nonlocal_net/..." are looked up by the name of the distribution, and the
# maintained fork's table still holds the original's.
MODULE2PACKAGE["mmseg"] = "onedl-mmsegmentation"

_FOLDER = Path(__file__).parent


def config_names() -> list[str]:
    """Return the names of the configs that ship with the project."""
    return sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__")


def read_config(name_or_path: str) -> Config:
    """Read a config by its name here or by its path.

    Raises:
        FileNotFoundError: there is no such config; the message lists the names there are.
    """
    path = _FOLDER / f"{name_or_path}.py"
    if not path.is_file():
        path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(config_names())
        raise FileNotFoundError(f"There is no config {name_or_path!r}; there are: {known}.")
    return Config.fromfile(path)
