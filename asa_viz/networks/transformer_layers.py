"""The layers of a vision transformer as their libraries write them: projections, grid, output.

mmsegmentation's `VisionTransformer` has PyTorch's multi-head attention, with the residual inside.
timm's `Attention`, `AttentionRope` and `EvaAttention` project to queries, keys and values, may
normalise queries and keys, rotate them by their place, and normalise and gate what is read. Modules
of other libraries with the same parts are read in the same way.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from inspect import signature
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from asa_viz.networks.capture import Seen

# All that timm's modules of attention may hold; what holds more computes something else.
_PARTS = frozenset({
    "qkv", "q_proj", "k_proj", "v_proj", "q_norm", "k_norm", "attn_drop", "norm", "gate", "proj",
    "proj_drop",
})  # fmt: skip
_BIASES = ("q_bias", "k_bias", "v_bias")


class Projected(NamedTuple):
    """Scaled queries, keys and values of all tokens, for each of the m heads."""

    query: Float[Tensor, "m t d"]
    key: Float[Tensor, "m t d"]
    value: Float[Tensor, "m t c"]


@dataclass(frozen=True, eq=False)
class Layer(ABC):
    """The attention module of one layer, at the path `part` of its network.

    `patches` is the path of the module that cuts the picture into the layer's cells.
    """

    attention: Any
    part: str
    patches: str

    @property
    @abstractmethod
    def heads(self) -> int:
        """The number of heads."""

    @property
    def watch(self) -> tuple[str, ...]:
        """The paths of the modules whose calls the methods below need."""
        return (self.patches, self.part)

    @abstractmethod
    def projected(self, seen: Seen) -> Projected:
        """Return what the module computes its rows and its output from."""

    @abstractmethod
    def grid(self, seen: Seen) -> tuple[int, int]:
        """Return the rows and columns of cells; all other tokens come before those."""

    @abstractmethod
    def rebuilt(self, seen: Seen, read: Float[Tensor, "n c"]) -> tuple[Tensor, Tensor]:
        """Return the module's output with what the cells read, all heads joined, and its own."""


class StockLayer(Layer):
    """A layer of mmsegmentation's VisionTransformer."""

    @property
    @override
    def heads(self) -> int:
        return int(self.attention.num_heads)

    @property
    @override
    def watch(self) -> tuple[str, ...]:
        return (*super().watch, f"{self.part}.attn")

    @override
    def projected(self, seen: Seen) -> Projected:
        tokens = seen[self.part][0].inputs[0][0]
        inner = self.attention.attn
        every = nn.functional.linear(tokens, inner.in_proj_weight, inner.in_proj_bias)
        query, key, value = (_by_head(each, self.heads) for each in every.chunk(3, -1))
        return Projected(query * query.shape[-1] ** -0.5, key, value)

    @override
    def grid(self, seen: Seen) -> tuple[int, int]:
        height, width = seen[self.patches][0].output[1]
        return int(height), int(width)

    @override
    def rebuilt(self, seen: Seen, read: Float[Tensor, "n c"]) -> tuple[Tensor, Tensor]:
        (own, _), call = seen[f"{self.part}.attn"][0].output, seen[self.part][0]
        ours = own.clone()
        ours[-len(read) :, 0] = self.attention.attn.out_proj(read)
        return call.output - own.transpose(0, 1) + ours.transpose(0, 1), call.output


class TimmLayer(Layer):
    """A layer with one of timm's modules of attention, or with one of the same parts."""

    @property
    @override
    def heads(self) -> int:
        return int(self.attention.num_heads)

    @override
    def projected(self, seen: Seen) -> Projected:
        module = self.attention
        given = self._given(seen)
        query, key, value = _linear(module, given["x"][0])
        query, key = (_applied(module, *each) for each in (("q_norm", query), ("k_norm", key)))
        if (places := given.get("rope")) is not None:
            before = int(getattr(module, "num_prefix_tokens", 0))
            half = bool(getattr(module, "rotate_half", False))
            query, key = (_rotated(each, places, before, half=half) for each in (query, key))
        key, value = (each.repeat_interleave(self.heads // len(each), 0) for each in (key, value))
        # PyTorch's fused attention scales by the width of a head, whatever the module's scale is.
        fused = getattr(module, "fused_attn", False)
        scale = query.shape[-1] ** -0.5 if fused else float(module.scale)
        return Projected(query * scale, key, value)

    @override
    def grid(self, seen: Seen) -> tuple[int, int]:
        height, width = seen[self.patches][0].output.shape[-2:]
        if self._given(seen)["x"].shape[1] < height * width:
            raise ValueError("it reads fewer tokens than the picture has cells")
        return int(height), int(width)

    @override
    def rebuilt(self, seen: Seen, read: Float[Tensor, "n c"]) -> tuple[Tensor, Tensor]:
        module, own = self.attention, seen[self.part][0].output
        read = _applied(module, "norm", read)
        if getattr(module, "gate", None) is not None:
            read = read * module.gate(self._given(seen)["x"][0, -len(read) :]).sigmoid()
        ours = own.clone()
        ours[0, -len(read) :] = module.proj(read)
        return ours, own

    def _given(self, seen: Seen) -> dict[str, Any]:
        """Return the module's inputs: its tokens as `x`, and their places as `rope` where given.

        Raises:
            ValueError: its rows do not follow from these alone.
        """
        calls = seen[self.part]
        if len(calls) != 1:
            raise ValueError(f"it is called {len(calls)} times for a picture")
        bound = signature(self.attention.forward).bind(*calls[0].inputs, **calls[0].named)
        (_, tokens), *others = bound.arguments.items()
        given = {name: value for name, value in others if value is not None and value is not False}
        if unknown := ", ".join(sorted(set(given) - {"rope"})):
            raise ValueError(f"it is given {unknown} beside its tokens")
        if tokens.ndim != 3 or len(tokens) != 1:
            raise ValueError("it attends within parts of the picture")
        return {"x": tokens, **given}


def timm_layer(network: Any, part: str) -> TimmLayer | str | None:
    """Return the layer at a path, or why it cannot be read; None where there is no attention."""
    module = network.get_submodule(part)
    linear = getattr(module, "qkv", None) or getattr(module, "q_proj", None)
    named = all(hasattr(module, each) for each in ("num_heads", "scale", "attn_drop", "proj"))
    if not named or not isinstance(linear, nn.Module):
        return None
    own = (module.named_children(), module.named_parameters(recurse=False),
           module.named_buffers(recurse=False))  # fmt: skip
    known = {*_PARTS, *_BIASES}
    if unknown := sorted({name for each in own for name, _ in each} - known):
        return f"{part} has parts that are not known: {', '.join(unknown)}"
    above = part.split(".")
    for end in range(len(above) - 1, 0, -1):
        patches = ".".join([*above[:end], "patch_embed", "proj"])
        try:
            network.get_submodule(patches)
        except AttributeError:
            continue
        return TimmLayer(module, part, patches)
    return f"no patch_embed beside {part} says where its cells lie"


def _linear(module: Any, tokens: Float[Tensor, "t c"]) -> list[Tensor]:
    """Return queries, keys and values [heads, t, d]; keys and values may have fewer heads."""
    if getattr(module, "qkv", None) is not None:
        every = module.qkv(tokens)
        biases = [getattr(module, name, None) for name in _BIASES]
        if any(bias is not None for bias in biases):
            width = every.shape[-1] // 3
            every = every + torch.cat([every.new_zeros(width) if b is None else b for b in biases])
        parts = list(every.chunk(3, -1))
    else:
        parts = [getattr(module, name)(tokens) for name in ("q_proj", "k_proj", "v_proj")]
    width = parts[0].shape[-1] // module.num_heads
    return [_by_head(part, part.shape[-1] // width) for part in parts]


def _by_head(tokens: Float[Tensor, "t c"], heads: int) -> Float[Tensor, "m t d"]:
    return tokens.unflatten(-1, (heads, -1)).transpose(0, 1)


def _applied(module: Any, name: str, values: Tensor) -> Tensor:
    """Return what a part of the module makes of values; without that part, the values."""
    part = getattr(module, name, None)
    return values if part is None else part(values[None])[0]


def _rotated(
    tokens: Float[Tensor, "m t d"], places: Tensor, before: int, *, half: bool
) -> Float[Tensor, "m t d"]:
    """Return tokens rotated by their places, without the first `before` of them.

    `places` holds sines and then cosines, for every token or for every token of every head. A pair
    of numbers that is rotated lies side by side, or with `half` half a head apart.
    """
    sine, cosine = (places[0] if places.ndim == 4 else places).chunk(2, -1)
    cells = tokens[:, before:]
    if half:
        first, second = cells.chunk(2, -1)
        turned = torch.cat([-second, first], -1)
    else:
        first, second = cells[..., ::2], cells[..., 1::2]
        turned = torch.stack([-second, first], -1).flatten(-2)
    return torch.cat([tokens[:, :before], cells * cosine + turned * sine], 1).to(tokens)
