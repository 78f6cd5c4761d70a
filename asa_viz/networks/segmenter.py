"""A trained network that turns an image into a session."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, UInt8
from mmseg.models.decode_heads import NLHead
from PIL import Image
from torch import Tensor

from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import WhatIf
from asa_viz.checkpoints import offered
from asa_viz.geometry import Grid
from asa_viz.images import Picture, fit_within, nearest_shape, read_image, resize
from asa_viz.networks.blocks import ASABlock, attended, block_output
from asa_viz.networks.checkpoint import Card, find, open_checkpoint
from asa_viz.networks.heads import AttentionHead, classify, layers_behind
from asa_viz.networks.weights import WeightsError
from asa_viz.session import Affine, Readout, Session, segmentation_of
from asa_viz.views import SegmentationView

LONGEST_DISPLAY_SIDE = 1280


class _Made(NamedTuple):
    """A network's outputs for one picture, on its device except for the attention.

    Logits on the grid, and those without attention. Of the backbone's stages the first is the one
    that the head reads, the second the one before it of the same size. The values are the block's.
    """

    logits: Float[Tensor, "1 classes h w"]
    own_value_logits: Float[Tensor, "1 classes h w"]
    features: tuple[Tensor, ...]
    attention: SparseAttention
    values: Float[Tensor, "n d"]


class Segmenter:
    """One network on one device; `encode` may be called from several threads."""

    def __init__(self, network: Any, card: Card, device: torch.device) -> None:
        if not shown_by_block(network):
            raise WeightsError(f"{card.name} has no attention block that can be shown.")
        self.name = card.name
        self.classes = card.classes
        self.card = card
        # Whether 0 in label files means "no class" and 1 is the first.
        self.reduce_zero_label = bool(card.training.get("reduce_zero_label", False))
        self.device = device
        self._block = block = network.decode_head.nl_block
        self._behind: tuple[Affine, ...] = ()
        if getattr(block, "read_only", False):
            self._behind = layers_behind(network.decode_head)
        # Channels-last memory: convolutions on CPUs are a sixth faster on large maps.
        self._network = network.to(device, memory_format=torch.channels_last)

    def encode(self, image: Any) -> Session:
        """Run the network once on an image and return the session that answers queries on it.

        `image` is a Pillow image, a uint8 RGB array or tensor [height, width, 3], a file's path,
        its bytes, or a `Picture`.

        Raises:
            ImageError: the image cannot be used; the message says why.
        """
        return self.encode_batch([image])[0]

    def encode_batch(self, images: Iterable[Any], batch: int = 8) -> list[Session]:
        """Return the session of each image, as `encode` does, in the order of the images.

        Images that the network works on in one shape go through it together, up to `batch` at a
        time. All sessions are in memory at once.

        Raises:
            ImageError: one of the images cannot be used; the message says why.
        """
        pictures = [read_image(image) for image in images]
        by_shape: dict[tuple[int, int], list[int]] = {}
        for index, picture in enumerate(pictures):
            height, width = picture.rgb.shape[:2]
            shape = nearest_shape(height, width, self.card.shapes)
            by_shape.setdefault(shape, []).append(index)
        sessions: dict[int, Session] = {}
        for shape, members in by_shape.items():
            for start in range(0, len(members), batch):
                together = members[start : start + batch]
                pixels = [self._pixels(resize(pictures[i].rgb, shape)) for i in together]
                for index, made in zip(together, self._run(torch.cat(pixels)), strict=True):
                    sessions[index] = self._made_session(pictures[index], shape, made)
        return [sessions[index] for index in range(len(pictures))]

    def _made_session(self, picture: Picture, shape: tuple[int, int], made: _Made) -> Session:
        attention, (height, width) = made.attention, picture.rgb.shape[:2]
        unknown = SegmentationView(
            self.classes, self.card.palette, np.zeros(shape, np.uint8),
            np.zeros((attention.height, attention.width), np.uint8), height, width,
        )  # fmt: skip
        return Session(
            network=self.name,
            picture=fit_within(picture.rgb, LONGEST_DISPLAY_SIDE),
            notes=picture.notes,
            grid=Grid(attention.height, attention.width, height, width),
            segmentation=self._segmentation(made.logits, unknown),
            attention=attention,
            own_value_logits=made.own_value_logits.cpu(),
            readout=Readout(made.values.cpu(), self._behind) if self._behind else None,
            align_corners=self._network.align_corners,
            thresholds_learned=isinstance(self._block, ASABlock),
            features=tuple(stage.cpu() for stage in made.features),
            inner=picture.inner,
        )

    @torch.no_grad()
    def rerun(self, session: Session, what_if: WhatIf) -> SegmentationView:
        """Run the head again under another rule; the unchanged rule gives the labels of `encode`.

        Raises:
            ValueError: the session is another network's, or does not hold what the head needs.
        """
        x = self._stage_of(session)
        entering = self._network.decode_head.convs[0](x)
        if what_if.changed:
            values = self._block.g(entering)[0].flatten(1).mT.cpu()
            read = session.attention.mix(values, what_if).to(self.device)
            mixed = block_output(self._block, entering, read[None])
        else:
            mixed = self._block(entering)
        logits = classify(self._network.decode_head, x, mixed)
        return self._segmentation(logits, session.segmentation)

    @torch.no_grad()
    def without_block(self, session: Session) -> SegmentationView | None:
        """Return the segmentation with the block's output replaced by its input, not retrained.

        None for a read only block, whose output does not contain its input.

        Raises:
            ValueError: the session is another network's, or does not hold what the head needs.
        """
        x = self._stage_of(session)
        if getattr(self._block, "read_only", False):
            return None
        head = self._network.decode_head
        return self._segmentation(classify(head, x, head.convs[0](x)), session.segmentation)

    def _segmentation(
        self, logits: Float[Tensor, "1 classes h w"], like: SegmentationView
    ) -> SegmentationView:
        return segmentation_of(logits, like, align_corners=self._network.align_corners)

    def _stage_of(self, session: Session) -> Float[Tensor, "1 _ h w"]:
        """Return the stage of the backbone that the head reads."""
        if session.network != self.name or not session.features:
            raise ValueError(f"The session was not made by {self.name}; encode the picture anew.")
        return session.features[0].to(self.device)

    @torch.no_grad()
    def _run(self, pixels: Float[Tensor, "b 3 height width"]) -> list[_Made]:
        """Return the network's outputs for each of several pictures of one shape.

        This is the network's own pass with its block split up, so that no projection is computed
        twice.
        """
        head, block = self._network.decode_head, self._block
        features = self._network.extract_feat(pixels)
        x = head._transform_inputs(features)
        entering = head.convs[0](x)
        height, width = entering.shape[-2:]
        made = attended(block, entering)
        logits, own_value_logits = (
            classify(head, x, mixed)
            for mixed in (made.output, block_output(block, entering, made.projections.value))
        )
        stages = self._last_two(features)
        found = []
        for i in range(len(pixels)):
            query, key, value, nonlocal_scale, local_scale = (part[i] for part in made.projections)
            attention = SparseAttention.of(
                query.contiguous(), key.contiguous(), nonlocal_scale, local_scale,
                height=height, width=width, window=getattr(block, "window", 1),
                scaled=block.use_scale,
                log_normaliser=None if made.log_normaliser is None else made.log_normaliser[i],
            )  # fmt: skip
            one = slice(i, i + 1)
            kept = tuple(stage[one] for stage in stages)
            found.append(_Made(logits[one], own_value_logits[one], kept, attention, value))
        return found

    @torch.no_grad()
    def features(self, image: Image.Image | Path) -> tuple[Float[Tensor, "1 _ h w"], ...]:
        """Return the stages that `encode` keeps in a session, without running the head.

        Raises:
            ImageError: the image cannot be used; the message says why.
        """
        return self._last_two(self._network.extract_feat(self.pixels(image)))

    def pixels(self, image: Image.Image | Path) -> Float[Tensor, "1 3 _ _"]:
        """Return an image as input for the backbone: resized and normalised.

        Raises:
            ImageError: the image cannot be used; the message says why.
        """
        rgb = read_image(image).rgb
        height, width = rgb.shape[:2]
        return self._pixels(resize(rgb, nearest_shape(height, width, self.card.shapes)))

    def _pixels(self, rgb: UInt8[np.ndarray, "height width 3"]) -> Float[Tensor, "1 3 _ _"]:
        preprocessor = self._network.data_preprocessor
        # mmsegmentation reads files as BGR; without channel conversion a network works on BGR.
        ordered = rgb if preprocessor._channel_conversion else rgb[..., ::-1].copy()
        pixels = torch.from_numpy(ordered).to(self.device).permute(2, 0, 1).float()
        if preprocessor._enable_normalize:
            pixels = (pixels - preprocessor.mean) / preprocessor.std
        return pixels[None]

    def _last_two(self, stages: Sequence[Tensor]) -> tuple[Tensor, ...]:
        deepest = self._network.decode_head._transform_inputs(stages)
        same_size = [stage for stage in stages if stage.shape[-2:] == deepest.shape[-2:]]
        return (deepest, *same_size[-2:-1])


def shown_by_block(network: Any) -> bool:
    """Return whether the head is a non-local one with softmax rows, dense or sparse."""
    head = network.decode_head
    block = getattr(head, "nl_block", None)
    return (
        isinstance(head, AttentionHead | NLHead)
        and (isinstance(block, ASABlock) or getattr(block, "mode", "") == "embedded_gaussian")
        and getattr(block, "rule", "clean") == "clean"
        and network.out_channels > 1
    )


def load(name_or_path: str | Path | None = None, device: str | None = None) -> Segmenter:
    """Load a network by its name or the path of its safetensors file; None is the default network.

    `device` is "cpu", "cuda" or None for CUDA where there is one.

    Raises:
        WeightsError: there is no such network, its files cannot be used, or there is no GPU.
    """
    device = checked_device(device)
    if files := offered(name_or_path):
        from asa_viz.networks.external import open_network

        return open_network(files.config, files.checkpoint, device, attention=files.attention)
    network, card = open_checkpoint(find(name_or_path))
    if shown_by_block(network):
        return Segmenter(network, card, torch.device(device))
    from asa_viz.networks.external import from_card

    return from_card(network, card, torch.device(device))


def checked_device(device: str | None) -> str:
    """Return the device asked for; without one "cuda" where there is a GPU, else "cpu".

    Raises:
        WeightsError: torch cannot use that device here.
    """
    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise WeightsError("There is no GPU here that torch can use; leave the device out.")
    return device
