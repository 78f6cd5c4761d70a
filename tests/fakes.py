"""A session without a network: random projections of a picture's own colours, by the definition."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from asa_viz.geometry import Cell, Grid, Pixel
from asa_viz.views import FloatMap, QueryView, SegmentationView

CLASSES = ("sky", "building", "road", "tree")
PALETTE = ((128, 128, 128), (128, 0, 0), (128, 64, 128), (128, 128, 0))


@dataclass(frozen=True, eq=False)
class FakeSession:
    """Answers as a session does; keeps its whole n x n affinity, so the grid must be small."""

    picture: UInt8[np.ndarray, "ph pw 3"]
    grid: Grid
    affinity: np.ndarray
    nonlocal_scales: FloatMap
    local_scales: FloatMap
    segmentation: SegmentationView
    thresholds_learned: bool = True
    network: str = "asa"
    notes: tuple[str, ...] = field(default=())

    @property
    def scales(self) -> tuple[FloatMap, FloatMap]:
        return self.nonlocal_scales, self.local_scales

    @property
    def size_in_bytes(self) -> int:
        return self.affinity.nbytes

    def query(self, pixel: Pixel) -> QueryView:
        return self.query_cell(self.grid.cell_at(pixel))

    def query_cell(self, cell: Cell) -> QueryView:
        shape, n = (self.grid.height, self.grid.width), self.grid.size
        index = cell.row * self.grid.width + cell.col
        dense = self.affinity[index].reshape(shape)
        incoming = self.affinity[:, index].reshape(shape)
        nonlocal_scale = float(self.nonlocal_scales[cell])
        local_scale = float(self.local_scales[cell])
        with np.errstate(divide="ignore"):
            ratio = incoming * n / self.nonlocal_scales
        rows, cols = np.indices(shape)
        window = (abs(rows - cell.row) <= 1) & (abs(cols - cell.col) <= 1)
        chosen, chooses_back = dense * n >= nonlocal_scale, ratio >= 1
        local_threshold = local_scale * float(dense[window].mean())
        local = window & (dense >= local_threshold)
        support = (chosen & chooses_back) | local
        weights = np.where(support, dense, 0.0)
        if not support.any():
            weights[cell] = 1.0
        weights = weights / weights.sum()
        return QueryView(
            query=cell,
            dense=dense,
            incoming=incoming,
            incoming_ratio=ratio,
            weights=weights,
            chosen=chosen,
            chooses_back=chooses_back,
            local=local,
            nonlocal_scale=nonlocal_scale,
            local_scale=local_scale,
            local_threshold=local_threshold * n,
        )


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
    seed: int = 0,
) -> FakeSession:
    """Make a session of `picture`, or of noise, with its own small grid.

    `image_size` is the height and width of the original; `scale` about what thresholds lie at.
    """
    random = np.random.default_rng(seed)
    if picture is None:
        picture = random.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    image_height, image_width = image_size or picture.shape[:2]
    grid = Grid(height, width, image_height, image_width)
    small = Image.fromarray(picture).resize((width, height), Image.Resampling.BOX)
    colours = np.asarray(small, float).reshape(-1, 3) / 64 - 2
    rows, cols = np.indices((height, width))
    places = np.stack([rows / height, cols / width], axis=-1).reshape(-1, 2) * 3 - 1.5
    features = np.concatenate([colours, places, random.normal(size=(grid.size, 3)) / 2], axis=1)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    mixing = random.normal(size=(features.shape[1], 16))
    query = features @ (mixing + random.normal(size=mixing.shape) / 8)
    key = features @ (mixing + random.normal(size=mixing.shape) / 8)
    logits = sharpness * query @ key.T / 4
    affinity = np.exp(logits - logits.max(axis=1, keepdims=True))
    affinity /= affinity.sum(axis=1, keepdims=True)
    if learned:
        brightness = colours.mean(axis=1).reshape(height, width)
        scales = scale * (1 + 0.2 * np.tanh(brightness))
        local_scales = local_scale * (1 + 0.1 * np.sin(rows + cols))
    else:
        scales = local_scales = np.zeros((height, width))
    quarters = (colours[:, 2] > colours[:, 0]).astype(np.uint8) + 2 * (places[:, 0] > 0)
    labels = quarters.astype(np.uint8).reshape(height, width)
    segmentation = SegmentationView(CLASSES, PALETTE, labels, labels, image_height, image_width)
    return FakeSession(
        picture, grid, affinity, scales, local_scales, segmentation, learned,
        "asa" if learned else "dense",
    )  # fmt: skip
