"""A session without a network: random projections of a picture's own colours."""

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from asa_viz.attention.row import SparseAttention
from asa_viz.geometry import Grid
from asa_viz.session import Session
from asa_viz.views import SegmentationView

CLASSES = ("sky", "building", "road", "tree")
PALETTE = ((128, 128, 128), (128, 0, 0), (128, 64, 128), (128, 128, 0))


def fake_session(
    picture: UInt8[np.ndarray, "ph pw 3"] | None = None,
    height: int = 9,
    width: int = 12,
    *,
    image_size: tuple[int, int] | None = None,
    sharpness: float = 1.5,
    scale: float = 1.5,
    local_scale: float = 1.0,
    learned: bool = True,
    notes: tuple[str, ...] = (),
) -> Session:
    """Make a session of `picture`, or of noise, with its own small grid.

    `image_size` is the height and width of the original; `scale` about what thresholds lie at.
    """
    random = np.random.default_rng(0)
    if picture is None:
        picture = random.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    image_height, image_width = image_size or picture.shape[:2]
    small = Image.fromarray(picture).resize((width, height), Image.Resampling.BOX)
    colours = np.asarray(small, float).reshape(-1, 3) / 64 - 2
    rows, cols = np.indices((height, width))
    places = np.stack([rows / height, cols / width], axis=-1).reshape(-1, 2) * 3 - 1.5
    features = np.concatenate([colours, places, random.normal(size=(len(places), 3)) / 2], axis=1)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    mixing = random.normal(size=(features.shape[1], 16))
    query = features @ (mixing + random.normal(size=mixing.shape) / 8)
    key = features @ (mixing + random.normal(size=mixing.shape) / 8)
    brightness = np.tanh(colours.mean(axis=1)).reshape(height, width)
    scales = (scale * (1 + 0.2 * brightness), local_scale * (1 + 0.1 * np.sin(rows + cols)))
    attention = SparseAttention.of(
        _tensor(sharpness * query),
        _tensor(key),
        *(_tensor(learned * each.ravel()) for each in scales),
        height=height,
        width=width,
    )
    labels = (colours[:, 2] > colours[:, 0]) + 2 * (places[:, 0] > 0)
    labels = labels.astype(np.uint8).reshape(height, width)
    return Session(
        network="asa" if learned else "dense",
        picture=picture,
        notes=notes,
        grid=Grid(height, width, image_height, image_width),
        segmentation=SegmentationView(
            CLASSES, PALETTE, labels.repeat(4, 0).repeat(4, 1), labels, image_height, image_width
        ),
        attention=attention,
        own_value_logits=torch.nn.functional.one_hot(
            torch.from_numpy(np.roll(labels, 1).astype(int)), len(CLASSES)
        )
        .permute(2, 0, 1)[None]
        .float(),
        thresholds_learned=learned,
    )


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).float()
