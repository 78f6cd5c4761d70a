"""Serialises a session as one file, from which a browser can compute every row.

A safetensors file, format version 1. The tensors, n = h * w cells row by row:

    query, key                      [n, d]  float32, or float16 when half; queries already scaled
                                            (or, without key, query [n, n]: the logarithm of the
                                            size of every weight as a share of its row's, for
                                            other attention)
    log_normaliser                  [n]     float32, the log-sum-exp of each query's similarities
    nonlocal_scale, local_scale     [n]     float32, all 0 where the thresholds are not learned
    cell_labels, working_labels     [h, w], [H, W]  uint8, indices into the classes
    without_attention               [H, W]  uint8, the working labels if each cell read itself
                                            alone; left out where a head cannot be run so
    picture                         [bytes] uint8, an encoded picture: PNG, JPEG or WebP

Of a read only network also what makes class logits of a row: a cell that reads the sum of values r
(its row times the values) has the logits layer(... layer(r)), layer(x) = weight x + bias, then
max(0, .) where the layer is rectified.

    value                           [n, d]  as query and key
    weight_k, bias_k                [to, from], [to]  as query and key, k = 0, 1, ...

The metadata has one key, "session", a JSON object: version, network, thresholds_learned, window,
grid (height, width, image_height, image_width), classes, palette ([r, g, b] of each class), notes,
half, rectified (of each layer), and made_from, digests by name of what the session came from; of a
framed picture also inner, [left, top, right, bottom] in pixels, the part that is no bar.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load, save
from torch import Tensor

from asa_viz.attention.blockwise import log_normalisers
from asa_viz.attention.fixed import FixedAttention
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.stored import Stored
from asa_viz.geometry import Box, Grid
from asa_viz.images import NOT_LEARNED, SHARES, SIGNED
from asa_viz.session import Affine, Readout, Session
from asa_viz.views import SegmentationView

VERSION = 1
# A picture this small is stored without loss: it costs little, and its pixels are seen enlarged.
LOSSLESS_PIXELS = 256 * 256
JPEG_QUALITY = 92
# Rows that are not those of queries and keys are stored whole, up to about 64 MB.
MOST_ROWS = 4096
_OF_ATTENTION = (SHARES, SIGNED, NOT_LEARNED)
# Stands for log(0); its exponential is 0 in every precision.
LOG_NOTHING = -1e4


def pack(
    session: Session,
    *,
    picture: bytes | None = None,
    half: bool = False,
    made_from: Mapping[str, str] | None = None,
) -> bytes:
    """Return the session as a file; equal sessions give equal bytes.

    `picture` is an encoded file of the whole image; without it the session's own picture is
    encoded, as PNG where small, else as JPEG. With `half` queries and keys are rounded to float16
    and the normalisers computed anew from them, so that rows still sum to one.

    Raises:
        ValueError: a number of the session is not finite, or too large for half precision, or its
            rows are not those of queries and keys and too many.
    """
    attention, segmentation, readout = session.attention, session.segmentation, session.readout
    precision = torch.float16 if half else torch.float32
    notes = session.notes
    if isinstance(attention, FixedAttention):
        rows = _log_shares(attention)
        notes = (*notes, SIGNED if attention.signed else SHARES)
        projections, log_normaliser = {"query": rows}, torch.zeros(len(rows))
    else:
        query, key = attention.query.to(precision), attention.key.to(precision)
        projections = {"query": query, "key": key}
        log_normaliser = attention.log_normaliser
        if half:
            log_normaliser = log_normalisers(query.float(), key.float())
    numbers = {
        **{name: part.numpy() for name, part in projections.items()},
        "log_normaliser": _single(log_normaliser),
        "nonlocal_scale": _single(attention.nonlocal_scale),
        "local_scale": _single(attention.local_scale),
    }
    layers = readout.layers if readout else ()
    if readout is not None:
        numbers["value"] = readout.values.to(precision).numpy()
    for k, layer in enumerate(layers):
        numbers[f"weight_{k}"] = layer.weight.detach().cpu().to(precision).numpy()
        numbers[f"bias_{k}"] = layer.bias.detach().cpu().to(precision).numpy()
    for name, values in numbers.items():
        if not np.isfinite(values).all():
            cause = " in half precision" if half else ""
            raise ValueError(f"The session cannot be packed: {name} is not finite{cause}.")
    arrays = {
        **numbers,
        "cell_labels": segmentation.cell_labels,
        "working_labels": segmentation.working_labels,
        **_without_attention(session),
        "picture": np.frombuffer(_encoded(session) if picture is None else picture, np.uint8),
    }
    # Thresholds set by the user are drawn like learned ones, and marked as not learned.
    posed = not session.thresholds_learned and attention.decides
    description = {
        "version": VERSION,
        "network": session.network,
        "thresholds_learned": session.thresholds_learned or posed,
        "window": attention.window,
        "grid": asdict(session.grid),
        "classes": segmentation.classes,
        "palette": segmentation.palette,
        "notes": (*notes, *([NOT_LEARNED] if posed else [])),
        "half": half,
        "rectified": [layer.rectified for layer in layers],
        "made_from": dict(made_from or {}),
        **({"inner": session.inner} if session.inner else {}),
    }
    return save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        {"session": json.dumps(description, ensure_ascii=False)},
    )


def unpack(data: bytes) -> Session:
    """Return the session of a packet; it answers every query as the packed one does.

    The head cannot be run again: a packet holds neither network nor features.

    Raises:
        ValueError: the data are not a packet of this version, or are damaged.
    """
    try:
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        told = json.loads(header["__metadata__"]["session"])
        version = told["version"]
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise ValueError("These data are no packet of a session, or are damaged.") from error
    if version != VERSION:
        raise ValueError(f"This packet is of version {version}, and version {VERSION} is read.")
    try:
        return _session(told, load(data))
    except (SafetensorError, ValueError, KeyError, TypeError, OSError) as error:
        raise ValueError(f"The packet is damaged: {error}.") from error


def _session(told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Session:
    def tensor(name: str) -> Tensor:
        return torch.from_numpy(arrays[name].astype(np.float32))

    grid = Grid(**told["grid"])
    trained = SegmentationView(
        tuple(told["classes"]),
        tuple((r, g, b) for r, g, b in told["palette"]),
        arrays["working_labels"], arrays["cell_labels"], grid.image_height, grid.image_width,
    )  # fmt: skip
    alone = arrays.get("without_attention")
    parts = ("query", "key", "log_normaliser", "nonlocal_scale", "local_scale")
    layers = tuple(
        Affine(tensor(f"weight_{k}"), tensor(f"bias_{k}"), rectified)
        for k, rectified in enumerate(told["rectified"])
    )
    shape = (grid.height, grid.width)
    attention: SparseAttention | FixedAttention
    if "key" in arrays:
        query, key, log_normaliser, nonlocal_scale, local_scale = map(tensor, parts)
        attention = SparseAttention(
            query, key, log_normaliser, nonlocal_scale, local_scale,
            grid.height, grid.width, told["window"],
        )  # fmt: skip
    else:
        rows = Stored(shape, shape, tensor("query").exp())
        attention = FixedAttention(
            rows, tensor("nonlocal_scale"), tensor("local_scale"), told["window"]
        )
    with Image.open(BytesIO(arrays["picture"].tobytes())) as picture:
        shown = np.array(picture.convert("RGB"))
    return Session(
        network=told["network"],
        picture=shown,
        notes=tuple(note for note in told["notes"] if note not in _OF_ATTENTION),
        grid=grid,
        segmentation=trained,
        attention=attention,
        own_value_logits=None,
        readout=Readout(tensor("value"), layers) if layers else None,
        thresholds_learned=told["thresholds_learned"] and NOT_LEARNED not in told["notes"],
        own_value=None if alone is None else trained.relabelled(alone),
        inner=Box(*told["inner"]) if "inner" in told else None,
    )


def _without_attention(session: Session) -> dict[str, np.ndarray]:
    """Return the labels without attention, empty where the head cannot be run so."""
    try:
        return {"without_attention": session.without_attention.working_labels}
    except ValueError:
        return {}


def _log_shares(attention: FixedAttention) -> Float[Tensor, "n n"]:
    """Return the logarithm of each weight's magnitude as a share of its row's total magnitude.

    Raises:
        ValueError: the map has too many cells.
    """
    n = attention.height * attention.width
    if n > MOST_ROWS:
        raise ValueError(f"A packet holds the rows of {MOST_ROWS} cells at most, not of {n}.")
    return attention.shares().log().clamp_min(LOG_NOTHING)


def _single(values: Float[Tensor, " n"]) -> Float[np.ndarray, " n"]:
    return values.to(torch.float32).numpy()


def _encoded(session: Session) -> bytes:
    """Return the session's picture as an encoded file."""
    height, width = session.picture.shape[:2]
    image, file = Image.fromarray(session.picture), BytesIO()
    if height * width <= LOSSLESS_PIXELS:
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return file.getvalue()
