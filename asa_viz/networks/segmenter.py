"""A trained network that turns an image into a session."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import WhatIf
from asa_viz.geometry import Grid
from asa_viz.images import fit_within, nearest_shape, read_image, resize
from asa_viz.networks.asa_head import ASABlock, classify
from asa_viz.networks.checkpoint import Card, find, open_checkpoint
from asa_viz.networks.weights import WeightsError
from asa_viz.session import Session
from asa_viz.views import SegmentationView

LONGEST_DISPLAY_SIDE = 1280


class Segmenter:
    """One network on one device; `encode` may be called from several threads."""

    def __init__(self, network: Any, card: Card, device: torch.device) -> None:
        block = getattr(network.decode_head, "nl_block", None)
        if block is None or getattr(block, "rule", "clean") != "clean":
            raise WeightsError(f"{card.name} has no attention block that can be shown.")
        self.name = card.name
        self.classes = card.classes
        self.card = card
        self.device = device
        self._block = block
        # Channels beside each other: convolutions on CPUs are a sixth faster for it on large maps.
        self._network = network.to(device, memory_format=torch.channels_last)

    def encode(
        self, image: Image.Image | UInt8[np.ndarray, "height width 3"] | Path | bytes
    ) -> Session:
        """Run the network once on an image and return the session that answers queries on it.

        Raises:
            ImageError: the image cannot be used; the message says why.
        """
        picture = read_image(image)
        height, width = picture.rgb.shape[:2]
        working = resize(picture.rgb, nearest_shape(height, width, self.card.shapes))
        logits, features, attention = self._run(working)
        grid = Grid(attention.height, attention.width, height, width)
        return Session(
            network=self.name,
            picture=fit_within(picture.rgb, LONGEST_DISPLAY_SIDE),
            notes=picture.notes,
            grid=grid,
            segmentation=self._segmentation(logits, working.shape[:2], grid),
            attention=attention,
            thresholds_learned=isinstance(self._block, ASABlock),
            features=tuple(stage.cpu() for stage in features),
        )

    @torch.inference_mode()
    def rerun(self, session: Session, what_if: WhatIf) -> SegmentationView:
        """Run the head again with its block under another rule; as trained, that is `encode`'s.

        Raises:
            ValueError: the session is another network's, or does not hold what the head needs.
        """
        if session.network != self.name or not session.features:
            raise ValueError(f"The session was not made by {self.name}; encode the picture anew.")
        head, block = self._network.decode_head, self._block
        x = session.features[0].to(self.device)
        mixed = head.convs[0](x)
        if what_if.changed:
            values = block.g(mixed)[0].flatten(1).mT.cpu()
            read = session.attention.mix(values, what_if).to(self.device)
            read = read.mT.reshape(1, -1, session.grid.height, session.grid.width)
            mixed = mixed + block.conv_out(read)
        else:
            mixed = block(mixed)
        logits = classify(head, x, mixed)
        return self._segmentation(logits, session.segmentation.working_labels.shape, session.grid)

    def _segmentation(
        self, logits: Float[Tensor, "1 classes h w"], working_size: tuple[int, ...], grid: Grid
    ) -> SegmentationView:
        """Return the classes at the grid's size and at the one the network worked at."""
        enlarged = interpolate(logits, working_size, mode="bilinear", align_corners=False)
        return SegmentationView(
            self.classes, self.card.palette, labels_of(enlarged), labels_of(logits),
            grid.image_height, grid.image_width,
        )  # fmt: skip

    @torch.inference_mode()
    def _run(
        self, rgb: UInt8[np.ndarray, "height width 3"]
    ) -> tuple[Float[Tensor, "1 classes h w"], tuple[Tensor, ...], SparseAttention]:
        """Return the logits at the grid's size, two stages of the backbone, and the attention.

        The first is the one that the head reads, the second the one before it of the same size.
        The network's own pass, with its block taken apart: no projection is computed twice.
        """
        head, block = self._network.decode_head, self._block
        features = self._network.extract_feat(self._pixels(rgb))
        x = head._transform_inputs(features)
        mixed = head.convs[0](x)
        height, width = mixed.shape[-2:]
        settings = {"height": height, "width": width, "scaled": block.use_scale}
        if isinstance(block, ASABlock):
            read, _, normaliser, (query, key, _, nonlocal_scale, local_scale) = block.attend(mixed)
            settings |= {
                "window": block.window,
                "log_normaliser": None if normaliser is None else normaliser[0],
            }
        else:
            read = block(mixed)
            query, key = (part(mixed).flatten(2).mT for part in (block.theta, block.phi))
            nonlocal_scale = local_scale = query.new_zeros(query.shape[:2])
            settings |= {"window": 1}
        attention = SparseAttention.of(
            query[0].contiguous(), key[0].contiguous(), nonlocal_scale[0], local_scale[0],
            **settings,
        )  # fmt: skip
        return classify(head, x, read), self._last_two(features), attention

    @torch.inference_mode()
    def features(self, image: Image.Image | Path) -> tuple[Float[Tensor, "1 _ h w"], ...]:
        """Return the stages that `encode` keeps in a session, without running the head.

        Raises:
            ImageError: the image cannot be used; the message says why.
        """
        rgb = read_image(image).rgb
        height, width = rgb.shape[:2]
        working = resize(rgb, nearest_shape(height, width, self.card.shapes))
        return self._last_two(self._network.extract_feat(self._pixels(working)))

    def _pixels(self, rgb: UInt8[np.ndarray, "height width 3"]) -> Float[Tensor, "1 3 _ _"]:
        preprocessor = self._network.data_preprocessor
        pixels = torch.from_numpy(rgb).to(self.device).permute(2, 0, 1).float()
        return ((pixels - preprocessor.mean) / preprocessor.std)[None]

    def _last_two(self, stages: Sequence[Tensor]) -> tuple[Tensor, ...]:
        deepest = self._network.decode_head._transform_inputs(stages)
        same_size = [stage for stage in stages if stage.shape[-2:] == deepest.shape[-2:]]
        return (deepest, *same_size[-2:-1])


def load(name_or_path: str | Path | None = None, device: str | None = None) -> Segmenter:
    """Load a network by its name or the path of its safetensors file; None is the default network.

    `device` is "cpu", "cuda" or None for CUDA where there is one.

    Raises:
        WeightsError: there is no such network, or its files cannot be used.
    """
    network, card = open_checkpoint(find(name_or_path))
    return Segmenter(network, card, torch.device(device or default_device()))


def default_device() -> str:
    """Return "cuda" where there is one, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def labels_of(logits: Float[Tensor, "1 classes h w"]) -> UInt8[np.ndarray, "h w"]:
    """Return the class of the largest logit at each place."""
    # As argmax, ten times as fast: torch does not vectorise that over channels.
    return logits[0].max(0).indices.to(torch.uint8).cpu().numpy()
