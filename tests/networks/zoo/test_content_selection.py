"""Blocks that select their keys: what they compute by loops, and that all their parts learn."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from asa_viz.catalogue.content import METHODS
from asa_viz.geometry import Cell
from asa_viz.networks.heads import largest
from asa_viz.networks.zoo.content_selection import SIDE, WINDOW, IndexerTopKBlock
from tests.attention.zoo.content_selection import indexer_matrix, mixture_matrix, native_matrix
from tests.networks.zoo.small import CLASSES, features, head_of

NAMES = ("indexer_top_k", "native_sparse", "mixture_of_block")
BY_NAME = {method.name: method for method in METHODS}
# Maps of 1 block, of 2 x 2 that the border cuts, of 3 x 5, and of 4 x 7.
GRIDS = [(3, 4), (5, 6), (11, 19), (16, 25)]
CHANNELS = 32


def block_of(name):
    return head_of(name, CHANNELS).block.double()


def maps(height, width, images=1):
    torch.manual_seed(2)
    return torch.randn(images, CHANNELS, height, width, dtype=torch.float64)


def expected_matrix(name, block, x):
    """The block's matrix for a map of one image, by loops from its parameters."""
    height, width = x.shape[-2:]

    def linear(layer):
        kernel = layer.weight[:, :, 0, 0]
        bias = 0 if layer.bias is None else layer.bias[:, None, None]
        return torch.einsum("ki,ihw->khw", kernel, x[0]) + bias

    blocks = -(-height // 4) * -(-width // 4)
    query, key = linear(block.query), linear(block.key)
    if name == "indexer_top_k":
        index = linear(block.index_query).view(4, 2, height, width)
        weight = linear(block.index_weight) / 8**0.5
        k = max(1, round(height * width / 10))
        return indexer_matrix(query, key, index, linear(block.index_key), weight, k)
    if name == "mixture_of_block":
        return mixture_matrix(query, key, 4, min(blocks, max(2, round(blocks / 10))))
    hidden = linear(block.pool_hidden)
    for row in range(height):
        for col in range(width):
            hidden[:, row, col] += block.place[:, row % 4, col % 4]
    pool = torch.einsum("ki,ihw->khw", block.pool.weight[:, :, 0, 0], hidden.clamp_min(0))
    keys = (linear(block.block_key), key, linear(block.window_key))
    gates = 1 / (1 + torch.exp(-linear(block.gate)))
    return native_matrix(query, keys, pool, gates, 4, max(1, round(blocks / 10)), 7)


@pytest.mark.parametrize(("height", "width"), GRIDS[:3])
@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_a_block_computes_what_loops_over_its_parameters_do(name, height, width):
    block, x = block_of(name), maps(height, width)
    matrix = torch.tensor(expected_matrix(name, block, x), dtype=torch.float64)
    mixed = block.value(x).flatten(2) @ matrix.mT
    torch.testing.assert_close(block(x), x + block.out(mixed.view(1, 16, height, width)))


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_images_of_a_batch_do_not_influence_each_other(name):
    block, x = block_of(name), maps(9, 7, images=3)
    torch.testing.assert_close(block(x), torch.cat([block(image[None]) for image in x]))


@pytest.mark.parametrize(("height", "width"), GRIDS)
@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_no_row_reads_more_keys_than_the_record_says_and_a_whole_block_as_many(name, height, width):
    (attention,) = block_of(name).attentions(maps(height, width))
    most = BY_NAME[name].effective_support.of(height, width)
    supports = [
        int(attention.row(Cell(row, col)).count_nonzero())
        for row in range(height)
        for col in range(width)
    ]
    assert max(supports) <= most
    if name == "indexer_top_k":
        assert set(supports) == {largest(height * width)}
    if (height, width) == (16, 25) and name == "mixture_of_block":
        # Of 28 blocks three; those at the right border have one column of cells.
        assert set(supports) == {48, 36, 24}


@torch.no_grad()
def test_the_blocks_of_native_sparse_are_chosen_by_what_they_weigh_pooled():
    (attention,) = block_of("native_sparse").attentions(maps(16, 24))
    of_blocks, of_cells, of_window = attention.terms
    assert of_blocks.gather.shape == (24, 16 * 24)
    assert of_cells.keys.shape == (16 * 24, 2 * SIDE**2)
    assert of_window.keys.shape == (16 * 24, WINDOW**2)
    best = of_blocks.row(Cell(5, 9)).unfold(0, 4, 4).unfold(1, 4, 4).sum((2, 3)).flatten().topk(2)
    read = of_cells.row(Cell(5, 9)).unfold(0, 4, 4).unfold(1, 4, 4).sum((2, 3)).flatten()
    assert read.nonzero().flatten().tolist() == sorted(best.indices.tolist())


def test_the_gates_and_the_mlp_of_native_sparse_learn_on_a_map_that_blocks_do_not_divide():
    block, x = block_of("native_sparse"), maps(7, 9)
    (block(x) * torch.randn_like(x)).sum().backward()
    parts = (block.gate.weight, block.pool.weight, block.pool_hidden.weight, block.place)
    for part in (*parts, block.block_key.weight, block.key.weight, block.window_key.weight):
        # Every gate, every place of a block and both of what it is pooled to.
        assert (part.grad.flatten(1).abs().sum(-1) > 0).all()
    assert (block.place.grad.abs().sum(0) > 0).all()


@torch.no_grad()
def test_the_indexers_loss_is_the_divergence_from_the_dense_row():
    block, x = block_of("indexer_top_k"), maps(3, 4, images=2)
    found = block.indexer_loss(x)
    total = 0.0
    for image in x:
        q, k = (part(image[None])[0].flatten(1).mT for part in (block.query, block.key))
        index_query = block.index_query(image[None])[0].view(4, 2, 12)
        index_key = block.index_key(image[None])[0].flatten(1)
        weight = block.index_weight(image[None])[0].flatten(1) / 8**0.5
        for i in range(12):
            dense = (k @ q[i] / 4).softmax(-1)
            scores = sum(
                weight[head, i] * (index_query[head, :, i] @ index_key).clamp_min(0)
                for head in range(4)
            )
            total += float((dense * (dense / scores.softmax(-1)).log()).sum())
    assert float(found) == pytest.approx(total / 24)


def test_only_the_indexer_learns_by_its_loss_and_by_nothing_else():
    block, x = block_of("indexer_top_k"), maps(5, 6).requires_grad_()
    block.indexer_loss(x).backward()
    learning = {key for key, part in block.named_parameters() if part.grad is not None}
    assert learning == {
        f"index_{part}.{kind}" for part in ("query", "key", "weight") for kind in ("weight", "bias")
    }
    assert all(block.get_parameter(key).grad.abs().max() > 0 for key in learning)
    assert x.grad is None
    block.zero_grad()
    block(x).sum().backward()
    learning = {key for key, part in block.named_parameters() if part.grad is not None}
    assert not [key for key in learning if key.startswith("index")]
    assert x.grad is not None


def test_an_indexer_learns_to_find_what_the_dense_row_weighs_most():
    torch.manual_seed(0)
    block = IndexerTopKBlock(64)
    with torch.no_grad():
        for part in (block.query, block.key):
            part.weight.mul_(6)
    x = torch.randn(1, 64, 12, 12)

    @torch.no_grad()
    def mass():
        """How much of the dense rows lies on the tenth of the cells that is kept."""
        (attention,) = block.attentions(x)
        q, k = (part(x)[0].flatten(1).mT for part in (block.query, block.key))
        dense = (q @ k.mT / q.shape[1] ** 0.5).softmax(-1)
        return float(dense.gather(1, attention.keys).sum(-1).mean())

    before = mass()
    optimiser = torch.optim.Adam(block.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        block.indexer_loss(x).backward()
        optimiser.step()
    assert mass() > 2 * before


def test_the_head_adds_the_indexers_loss_to_that_of_the_segmentation():
    head = head_of("indexer_top_k").train()
    head.dropout = None
    inputs = features(8, 9, images=2)
    labels = [torch.randint(CLASSES, (1, 16, 18)) for _ in range(2)]
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels]
    losses = head.loss(inputs, samples, None)
    logits = F.interpolate(head(inputs), (16, 18), mode="bilinear", align_corners=False)
    expected = F.cross_entropy(logits, torch.cat(labels))
    torch.testing.assert_close(losses["loss_ce"], expected)
    narrow = head.convs[0](inputs[0])
    torch.testing.assert_close(losses["loss_indexer"], head.block.indexer_loss(narrow))
    sum(value for key, value in losses.items() if "loss" in key).backward()
    for part in ("index_query", "index_key", "index_weight", "query", "value", "out"):
        assert head.block.get_submodule(part).weight.grad.abs().max() > 0
