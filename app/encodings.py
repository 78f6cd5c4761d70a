"""Sessions of the gallery's photographs, stored as files: `python -m app.encodings` writes them.

With them the page shows a photograph before any network is loaded.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from app.gallery import EXAMPLES, Example
from asa_viz.checkpoints import DEFAULT

if TYPE_CHECKING:
    from asa_viz import Segmenter

FOLDER = Path(__file__).parent / "examples" / "encodings"


def stored(network: str, stem: str) -> Path | None:
    """Return the stored session of the photograph `stem` (without ending) under `network`."""
    # The name is looked up in a listing and never joined to a path: it cannot leave the folder.
    files = {(path.parent.name, path.stem): path for path in FOLDER.glob("*/*.safetensors")}
    return files.get((network, stem))


def encoding(segmenter: "Segmenter", example: Example) -> bytes:
    """Return the session of a photograph as a half precision packet with the original file."""
    from app.torch_imports import pack

    photograph = Path(example.path).read_bytes()
    return pack(
        segmenter.encode(photograph),
        picture=photograph,
        half=True,
        made_from={
            "checkpoint_sha256": segmenter.card.sha256,
            "photograph_sha256": hashlib.sha256(photograph).hexdigest(),
        },
    )


def main(network: str = DEFAULT) -> None:
    """Write the session of every photograph of the gallery under the default network."""
    from app.torch_imports import load

    segmenter = load(network, "cpu")
    folder = FOLDER / network
    folder.mkdir(parents=True, exist_ok=True)
    for example in EXAMPLES:
        path = folder / Path(example.file).with_suffix(".safetensors").name
        path.write_bytes(encoding(segmenter, example))
        print(f"{path.stem:16} {path.stat().st_size / 1e6:5.2f} MB")


if __name__ == "__main__":
    main()
