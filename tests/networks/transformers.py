"""A small vision transformer with attention of the same parts as timm's, and all that it may hold.

`kept` holds the weights of the last pass, [heads, tokens, tokens], where they are not fused.
"""

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import nn


def turned(tokens, angles, half):
    """Rotate pairs of numbers, one pair after another by the formula of a rotation."""
    width = tokens.shape[-1]
    result = torch.empty_like(tokens)
    for pair in range(width // 2):
        a, b = (pair, pair + width // 2) if half else (2 * pair, 2 * pair + 1)
        sine, cosine = angles[:, a].sin(), angles[:, a].cos()
        result[..., a] = tokens[..., a] * cosine - tokens[..., b] * sine
        result[..., b] = tokens[..., b] * cosine + tokens[..., a] * sine
    return result


class Heads(nn.Module):
    """Attention with the names of timm's parts."""

    def __init__(self, width, num_heads, given):
        super().__init__()
        self.num_heads, self.half = num_heads, given.get("half", False)
        d = width // num_heads
        self.scale = given.get("scale", d**-0.5)
        self.fused_attn = given.get("fused", False)
        self.causal = given.get("causal", False)
        if fewer := given.get("fewer"):
            self.qkv = None
            self.q_proj = nn.Linear(width, width)
            self.k_proj, self.v_proj = (nn.Linear(width, fewer * d) for _ in "kv")
        else:
            biased = given.get("biased", False)
            self.qkv = nn.Linear(width, 3 * width, bias=not biased)
            if biased:
                self.q_bias, self.v_bias = (nn.Parameter(torch.ones(width)) for _ in "qv")
                self.k_bias = None
        if given.get("normed"):
            self.q_norm, self.k_norm = nn.LayerNorm(d), nn.LayerNorm(d)
            self.norm = nn.LayerNorm(width)
        self.gate = nn.Linear(width, width) if given.get("gated") else None
        self.attn_drop, self.proj_drop = nn.Dropout(0.1), nn.Dropout(0.1)
        self.proj = nn.Linear(width, width)
        if given.get("table"):
            self.relative_position_bias_table = nn.Parameter(torch.randn(num_heads, 1, 1))
        self.num_prefix_tokens = given.get("before", 0)
        self.rotate_half = self.half
        self.kept = None

    def forward(self, x, rope=None, attn_mask=None, is_causal=False):
        width, m = x.shape[-1], self.num_heads
        if self.qkv is None:
            parts = [self.q_proj(x), self.k_proj(x), self.v_proj(x)]
        else:
            parts = list(self.qkv(x).split(width, -1))
            if hasattr(self, "q_bias"):
                parts[0], parts[2] = parts[0] + self.q_bias, parts[2] + self.v_bias
        q, k, v = (part.unflatten(-1, (-1, width // m)).transpose(1, 2) for part in parts)
        if hasattr(self, "q_norm"):
            q, k = self.q_norm(q), self.k_norm(k)
        if rope is not None:
            n = self.num_prefix_tokens
            angles = torch.atan2(*rope.chunk(2, -1))
            q, k = (
                torch.cat([t[:, :, :n], turned(t[:, :, n:], angles, self.half)], 2) for t in (q, k)
            )
        k, v = (t.repeat_interleave(m // t.shape[1], 1) for t in (k, v))
        if self.fused_attn:
            read = F.scaled_dot_product_attention(q, k, v, is_causal=is_causal)
        else:
            products = self.scale * torch.einsum("bmqd,bmkd->bmqk", q, k)
            if hasattr(self, "relative_position_bias_table"):
                products = products + self.relative_position_bias_table
            if is_causal:
                products = products + torch.full_like(products[0, 0], -torch.inf).triu(1)
            weights = products.exp() / products.exp().sum(-1, keepdim=True)
            self.kept = weights[0].detach()
            read = weights @ v
        read = read.transpose(1, 2).flatten(2)
        if hasattr(self, "norm"):
            read = self.norm(read)
        if self.gate is not None:
            read = read * torch.sigmoid(self.gate(x))
        return self.proj_drop(self.proj(self.attn_drop(read)))


class Patches(nn.Module):
    """The cut into cells."""

    def __init__(self, width):
        super().__init__()
        self.proj = nn.Conv2d(3, width, 8, 8)

    def forward(self, x):
        return self.proj(x).flatten(2).mT


class Layer(nn.Module):
    """Attention behind a normalisation, and what is added to it."""

    def __init__(self, width, num_heads, given):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width), Heads(width, num_heads, given)
        self.norm2, self.mlp = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, x, **named):
        x = x + self.attn(self.norm1(x), **named)
        return x + self.mlp(self.norm2(x)).relu()


@MODELS.register_module(force=True)
class TransformerOfOnesOwn(nn.Module):
    """A backbone as a user would register it; `settings` say what its attention holds."""

    def __init__(self, settings, width=32, layers=2, num_heads=4):
        super().__init__()
        self.settings = settings
        cut = Patches(width)
        # Where its cells lie is told by this name.
        setattr(self, settings.get("name", "patch_embed"), cut)
        self.cut = (cut,)
        before = settings.get("before", 0)
        self.tokens = nn.Parameter(torch.randn(1, before, width)) if before else None
        self.blocks = nn.ModuleList(Layer(width, num_heads, settings) for _ in range(layers))

    def forward(self, x):
        h, w = x.shape[2] // 8, x.shape[3] // 8
        cells = self.cut[0](x)
        if self.settings.get("windows"):
            cells = cells.unflatten(1, (2, -1))[0]
        named = {"attn_mask": None, "is_causal": self.settings.get("causal", False)}
        if self.settings.get("rope"):
            angles = torch.linspace(0, 3, h * w)[:, None] * torch.linspace(0.2, 2, 4)
            angles = (
                torch.cat([angles, angles], -1)
                if self.settings.get("half")
                else (angles.repeat_interleave(2, -1))
            )
            named["rope"] = torch.cat([angles.sin(), angles.cos()], -1)
        tokens = cells if self.tokens is None else torch.cat([self.tokens, cells], 1)
        for block in self.blocks:
            tokens = block(tokens, **named)
        if self.settings.get("windows"):
            tokens = tokens.flatten(0, 1)[None]
        return (tokens[:, -h * w :].mT.unflatten(2, (h, w)),)
