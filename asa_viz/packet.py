"""A session as one file: what a browser needs to compute every row by itself.

A safetensors file, format version 1. The tensors, n = h * w cells row by row:

    query, key                      [n, d]  float32, or float16 when half; queries already scaled
    log_normaliser                  [n]     float32, the log-sum-exp of each query's similarities
    nonlocal_scale, local_scale     [n]     float32, all 0 where the thresholds are not learned
    cell_labels, working_labels     [h, w], [H, W]  uint8, indices into the classes
    picture                         [bytes] uint8, an encoded picture: PNG, JPEG or WebP

The metadata has one key, "session", a JSON object: version, network, thresholds_learned, window,
grid (height, width, image_height, image_width), classes, palette ([r, g, b] of each class), notes,
half, and made_from, digests of what the session came from by their names.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from safetensors.numpy import save
from torch import Tensor

from asa_viz.attention.blockwise import log_normalisers
from asa_viz.session import Session

VERSION = 1
# A picture this small costs little without loss, and a pixel of it is large enough to be looked at.
LOSSLESS_PIXELS = 256 * 256
JPEG_QUALITY = 92


def pack(
    session: Session,
    *,
    picture: bytes | None = None,
    half: bool = False,
    made_from: Mapping[str, str] | None = None,
) -> bytes:
    """Return the session as a file; the same session gives the same bytes.

    `picture` is an encoded file of the whole image; without it the session's own is encoded, as PNG
    where it is small, else as JPEG. With `half` queries and keys are rounded and the normalisers
    computed anew from what remains, so that rows still sum to one.

    Raises:
        ValueError: a number of the session is not finite, or too large for half precision.
    """
    attention, segmentation = session.attention, session.segmentation
    precision = torch.float16 if half else torch.float32
    query, key = attention.query.to(precision), attention.key.to(precision)
    log_normaliser = attention.log_normaliser
    if half:
        log_normaliser = log_normalisers(query.float(), key.float())
    numbers = {
        "query": query.numpy(),
        "key": key.numpy(),
        "log_normaliser": _single(log_normaliser),
        "nonlocal_scale": _single(attention.nonlocal_scale),
        "local_scale": _single(attention.local_scale),
    }
    for name, values in numbers.items():
        if not np.isfinite(values).all():
            cause = " in half precision" if half else ""
            raise ValueError(f"The session cannot be packed: {name} is not finite{cause}.")
    arrays = {
        **numbers,
        "cell_labels": segmentation.cell_labels,
        "working_labels": segmentation.working_labels,
        "picture": np.frombuffer(_encoded(session) if picture is None else picture, np.uint8),
    }
    description = {
        "version": VERSION,
        "network": session.network,
        "thresholds_learned": session.thresholds_learned,
        "window": attention.window,
        "grid": asdict(session.grid),
        "classes": segmentation.classes,
        "palette": segmentation.palette,
        "notes": session.notes,
        "half": half,
        "made_from": dict(made_from or {}),
    }
    return save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        {"session": json.dumps(description, ensure_ascii=False)},
    )


def _single(values: Float[Tensor, " n"]) -> Float[np.ndarray, " n"]:
    return values.to(torch.float32).numpy()


def _encoded(session: Session) -> bytes:
    """Return the picture that the session shows as a file."""
    height, width = session.picture.shape[:2]
    image, file = Image.fromarray(session.picture), BytesIO()
    if height * width <= LOSSLESS_PIXELS:
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return file.getvalue()
