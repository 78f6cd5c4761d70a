"""What a record prints of its head is what the head has, and what the paper or its code has."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from asa_viz.attention.classic import mean_shift
from asa_viz.catalogue.method import by, listed
from asa_viz.catalogue.methods import METHODS
from asa_viz.geometry import Cell
from asa_viz.networks.zoo import classic
from asa_viz.networks.zoo.methods import READERS
from asa_viz.networks.zoo.record import HeadMethod
from tests.networks.zoo.small import head_of

WIDTH = 64
Found = Mapping[str, str | float]

PUBLISHED: dict[str, Found] = {
    "dgmn": {"samples": 9, "rates": "1, 4, 8, 12"},
    "dnl": {"temperature": 0.05},
    "sagan": {"share": 8},
    "ocnet_pyramid": {"splits": "1, 2, 3, 6"},
    "isa": {"block": "8 × 8"},
    "ccnet": {"passes": 2},
    "stand_alone": {"window": 7},
    "local_relation": {"window": 7},
    "san_pairwise": {"window": 7, "shared": 8},
    "carafe": {"window": 5},
    "ann_apnb": {"grids": "1, 3, 6, 8", "regions": 110},
    "ann_afnb": {"grids": "1, 3, 6, 8", "regions": 110},
    "apcnet": {"grids": "1, 2, 3, 6", "regions": 50},
    "pyramid_pooling": {"grids": "1, 2, 3, 6"},
    "a2net": {"share": 2},
    "emanet": {"bases": 64, "stages": 3},
    "cgnl": {"groups": 8},
    "glore": {"share": 4},
    "beyond_grids": {"nodes": 32},
    "latentgnn": {"nodes": 100},
    "psanet_collect": {"mask": "45 × 59"},
    "psanet_distribute": {"mask": "45 × 59"},
    "synthesizer_dense": {"grid": "32 × 32"},
    "synthesizer_random": {"grid": "32 × 32", "rank": 8},
    "bilateral": {"window": 19},
    "non_local_means": {"search": 21, "patch": 3},
    "mean_shift": {"steps": 5},
    "cbam": {"kernel": 7},
}


def side(count: int) -> int:
    return round(count**0.5)


def grids_of(block: Any) -> Found:
    """The grids over which a block of ANN averages."""
    sides = [pool.output_size for pool in block.key_downsample]
    return {"grids": listed(sides), "regions": sum(n**2 for n in sides)}


def adaptive_grids(head: Any) -> Found:
    """Each scale's last layer predicts a weight for each region of its grid."""
    regions = [module.gla.out_channels for module in head.acm_modules]
    return {"grids": listed([side(count) for count in regions]), "regions": sum(regions)}


def passes_of(head: Any) -> int:
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    handle = head.cca.register_forward_hook(count)
    head([torch.randn(1, head.in_channels, 3, 4)])
    handle.remove()
    return calls


def shared_channels(attention: Any) -> int:
    """How many channels of the values have one of the logits' groups."""
    return attention.value.out_channels // attention.weigh[-1].out_channels


IN_HEADS: dict[str, Callable[[Any], Found]] = {
    "dgmn": lambda head: {
        "samples": head.block.messages[0].layer.out_channels // 4,
        "rates": listed([message.layer.dilation[0] for message in head.block.messages]),
    },
    "dnl": lambda head: {"temperature": head.dnl_block.temperature},
    "sagan": lambda head: {"share": WIDTH // head.block.query.out_channels},
    "ocnet_pyramid": lambda head: {
        "splits": listed([context.splits for context in head.block.contexts])
    },
    "isa": lambda head: {"block": by(head.down_factor)},
    "ccnet": lambda head: {"passes": passes_of(head)},
    "stand_alone": lambda head: {"window": head.block.attention.row_offsets.shape[1]},
    "local_relation": lambda head: {"window": head.block.attention.prior().shape[-1]},
    "san_pairwise": lambda head: {
        "window": head.block.attention.window,
        "shared": shared_channels(head.block.attention),
    },
    "carafe": lambda head: {
        "window": side(head.block.attention.encode.out_channels // head.block.attention.ratio**2)
    },
    "ann_apnb": lambda head: grids_of(head.context.stages[0]),
    "ann_afnb": lambda head: grids_of(head.fusion.stages[0]),
    "apcnet": adaptive_grids,
    "pyramid_pooling": lambda head: {"grids": listed(head.psp_modules.pool_scales)},
    "a2net": lambda head: {"share": WIDTH // head.block.gather.out_channels},
    "emanet": lambda head: {
        "bases": head.ema_module.bases.shape[-1],
        "stages": head.ema_module.num_stages,
    },
    "cgnl": lambda head: {"groups": head.block.groups},
    "glore": lambda head: {"share": WIDTH // head.block.projection.out_channels},
    "beyond_grids": lambda head: {"nodes": len(head.block.assign.centres)},
    "latentgnn": lambda head: {"nodes": head.block.gather[0][0].out_channels},
    "psanet_collect": lambda head: {"mask": by(head.mask_size)},
    "psanet_distribute": lambda head: {"mask": by(head.mask_size)},
    "synthesizer_dense": lambda head: {"grid": by([side(head.block.predict.out_channels)] * 2)},
    "synthesizer_random": lambda head: {
        "grid": by([side(len(head.block.left))] * 2),
        "rank": head.block.right.shape[1],
    },
    "cbam": lambda head: {"kernel": head.block.cells[0].kernel_size[0]},
}


def test_the_settings_are_the_published_ones():
    assert {name: record.settings for name, record in METHODS.items() if record.settings} == (
        PUBLISHED
    )


def test_every_head_whose_settings_are_printed_is_looked_at():
    printed = {
        name
        for name, record in READERS.items()
        if isinstance(record, HeadMethod) and record.method.settings
    }
    assert set(IN_HEADS) == printed


@pytest.mark.parametrize("name", IN_HEADS)
def test_a_record_prints_what_its_head_has(name: str):
    record = READERS[name]
    with torch.no_grad():
        assert IN_HEADS[name](head_of(record.head, WIDTH)) == record.method.settings


def widths_read(name: str) -> tuple[int, int]:
    """Over how many rows and columns a query's keys reach where the image is one colour."""
    row = READERS[name].read(torch.zeros(3, 40, 41)).shown.row(Cell(20, 20))
    return int(row.any(1).sum()), int(row.any(0).sum())


@pytest.mark.parametrize(
    ("name", "setting"), [("bilateral", "window"), ("non_local_means", "search")]
)
def test_a_filter_reads_the_window_that_its_record_prints(name: str, setting: str):
    assert widths_read(name) == (METHODS[name].settings[setting],) * 2


def test_non_local_means_compares_patches_as_wide_as_its_record_prints():
    """All cells whose patch holds the one bright cell are less alike to a query far from it."""
    image = torch.zeros(3, 21, 21)
    image[:, 10, 10] = 1
    row = READERS["non_local_means"].read(image).shown.row(Cell(4, 10))
    unlike = row < row.max() / 2
    assert int(unlike[4:15, 4:17].any(1).sum()) == METHODS["non_local_means"].settings["patch"]


def test_mean_shift_takes_as_many_steps_as_its_record_prints():
    torch.manual_seed(0)
    image = torch.rand(3, 9, 11)
    row = READERS["mean_shift"].read(image).shown.row(Cell(4, 5))
    steps = METHODS["mean_shift"].settings["steps"]
    space, value = classic.SHIFT_SPACE, classic.SHIFT_VALUE
    after = [
        mean_shift(image, space=space, value=value, steps=steps + more).row(Cell(4, 5))
        for more in (-1, 0)
    ]
    assert not torch.allclose(row, after[0])
    torch.testing.assert_close(row, after[1])
