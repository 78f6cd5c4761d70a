"""Low rank attention: gather into a few nodes, transform the nodes, distribute to every cell."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from asa_viz.attention.base import Attention, flat
from asa_viz.geometry import Cell


@dataclass(frozen=True, eq=False)
class LowRank(Attention):
    """distribute x gather; the transformation of the nodes is already part of `distribute`."""

    distribute: Float[Tensor, "n k"]
    gather: Float[Tensor, "k m"]

    @property
    @override
    def like(self) -> Tensor:
        return self.gather

    @override
    def mix(self, values: Float[Tensor, "c kh kw"]) -> Float[Tensor, "c h w"]:
        nodes = values.flatten(1) @ self.gather.to(values).mT
        return (nodes @ self.distribute.to(values).mT).view(-1, *self.shape)

    @override
    def adjoint(self, sent: Float[Tensor, "c h w"]) -> Float[Tensor, "c kh kw"]:
        nodes = sent.flatten(1) @ self.distribute.to(sent)
        return (nodes @ self.gather.to(sent)).view(-1, *self.key_shape)

    @override
    def row(self, query: Cell) -> Float[Tensor, "kh kw"]:
        return (self.distribute[flat(query, self.shape)] @ self.gather).view(self.key_shape)

    @override
    def column(self, key: Cell) -> Float[Tensor, "h w"]:
        return (self.distribute @ self.gather[:, flat(key, self.key_shape)]).view(self.shape)


def low_rank(
    distribute: Float[Tensor, "k h w"],
    gather: Float[Tensor, "k kh kw"],
    reason: Float[Tensor, "k k"] | None = None,
) -> LowRank:
    """Return distribute x reason x gather, with maps of the nodes on the grids."""
    spread = distribute.flatten(1).mT
    shape, key_shape = (*distribute.shape[1:],), (*gather.shape[1:],)
    return LowRank(
        shape, key_shape, spread if reason is None else spread @ reason, gather.flatten(1)
    )


def over_cells(logits: Float[Tensor, "k h w"]) -> Float[Tensor, "k h w"]:
    """Return the softmax of each node's logits over all cells."""
    return logits.flatten(1).softmax(-1).view_as(logits)


def double_attention(gather: Float[Tensor, "k h w"], distribute: Float[Tensor, "k h w"]) -> LowRank:
    """Return the double attention of A2-Net from its gather and distribute logits.

    Gathering is a softmax over cells for each node, distributing a softmax over nodes for each
    cell.
    """
    return low_rank(distribute.softmax(0), over_cells(gather))


def expectation_maximisation(
    features: Float[Tensor, "c h w"], bases: Float[Tensor, "c k"], *, stages: int
) -> LowRank:
    """Return EMANet's attention: responsibilities of the bases after some EM steps.

    The bases that cells read are normalised means of the features; the row has the weights of these
    means. Only the initial bases are learned.
    """
    flat_features = features.flatten(1)
    for _ in range(stages):
        shares = (flat_features.mT @ bases).softmax(-1)
        gather = F.normalize(shares, p=1, dim=0).mT
        means = flat_features @ gather.mT
        bases = F.normalize(means, dim=0)
    gather = gather / means.norm(dim=0).clamp_min(1e-12)[:, None]
    shape = (*features.shape[1:],)
    return LowRank(shape, shape, shares, gather)


def compact_generalised(theta: Float[Tensor, "c h w"], phi: Float[Tensor, "c h w"]) -> LowRank:
    """Return CGNL of one group of channels with the dot-product kernel.

    Its matrix is over pairs of (cell, channel): c x c matrices over cells, each an outer product of
    two maps. Returned is the mean over the output's channels for equal values in all channels of
    the group.
    """
    return low_rank(theta.mean(0, keepdim=True), phi.sum(0, keepdim=True))


def global_reasoning(
    projection: Float[Tensor, "k h w"], adjacency: Float[Tensor, "k k"], *, averaged: bool = False
) -> LowRank:
    """Return GloRe's projection, (I + adjacency) among the nodes, and the projection back.

    `adjacency` [to, from] is the weight of the 1d convolution over nodes. `averaged` divides by the
    number of cells, for networks that take maps of any size.
    """
    reason = torch.eye(len(adjacency)).to(adjacency) + adjacency
    size = projection[0].numel() if averaged else 1
    return low_rank(projection, projection / size, reason)


def symbolic_reasoning(
    votes: Float[Tensor, "k h w"], adjacency: Float[Tensor, "k k"], mapping: Float[Tensor, "k h w"]
) -> LowRank:
    """Return symbolic graph reasoning from the logits of its votes and of its mapping back.

    Each cell votes for the symbols by a softmax over them; the votes of all cells are summed. Among
    symbols acts the adjacency with each joined to itself, divided by the roots of the degrees. The
    mapping is a softmax over cells for each symbol, then normalised over symbols for each cell.
    """
    joined = adjacency + torch.eye(len(adjacency)).to(adjacency)
    root = joined.sum(-1).rsqrt()
    log_share = mapping.flatten(1).log_softmax(-1).view_as(mapping)
    return low_rank(log_share.softmax(0), votes.softmax(0), root[:, None] * joined * root)


def beyond_grids(
    features: Float[Tensor, "c h w"], centres: Float[Tensor, "k c"], widths: Float[Tensor, "k c"]
) -> LowRank:
    """Return a graph convolutional unit's attention: soft assignment to learned centres.

    A node is the mean distance of its cells from the centre, in units of the widths, over its own
    length; nodes read each other by their dot products. The row leaves out what the centres and the
    widths do to single channels.
    """
    cells = features.flatten(1).mT
    apart = torch.stack([(cells - c) / w for c, w in zip(centres, widths, strict=True)])
    shares = (-apart.square().sum(-1) / 2).softmax(0)
    gather = F.normalize(shares, p=1, dim=-1)
    means = (gather[:, None] @ apart)[:, 0]
    nodes = F.normalize(means, dim=-1)
    length = means.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    shape = (*features.shape[1:],)
    return LowRank(shape, shape, shares.mT @ (nodes @ nodes.mT), gather / length)


def latent_graph(
    gather: Float[Tensor, "k h w"],
    distribute: Float[Tensor, "k h w"],
    features: Float[Tensor, "c h w"],
) -> LowRank:
    """Return LatentGNN's attention from its rectified maps and the features that it gathers.

    The maps to the nodes have length 1 over cells, those back length 1 over nodes. Nodes read each
    other by a softmax of their cosines.
    """
    to_nodes = F.normalize(gather.flatten(1), dim=-1).view_as(gather)
    nodes = F.normalize(to_nodes.flatten(1) @ features.flatten(1).mT, dim=-1)
    return low_rank(F.normalize(distribute, dim=0), to_nodes, (nodes @ nodes.mT).softmax(-1))


def object_context(
    regions: Float[Tensor, "k h w"], query: Float[Tensor, "d h w"], region_key: Float[Tensor, "k d"]
) -> LowRank:
    """Return OCR's attention: cells read the regions of a first, coarse segmentation.

    `regions` are its logits, a softmax over cells for each class; the cells' queries meet the keys
    of the regions in a scaled softmax over regions.
    """
    similarity = torch.einsum("kd,dhw->khw", region_key, query) * query.shape[0] ** -0.5
    return low_rank(similarity.softmax(0), over_cells(regions))
