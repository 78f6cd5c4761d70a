"""The point-wise head is mmsegmentation's, its masks spread as the compiled operator does it."""

from itertools import product

import pytest
import torch
from mmseg.models.decode_heads import psa_head
from torch import nn

from asa_viz.geometry import Cell
from asa_viz.networks.zoo.methods import HEADS, READERS, build_head
from asa_viz.networks.zoo.predicted import PointwiseHead, relative_places, shrunk, spread
from tests.networks.zoo.small import CHANNELS, CLASSES, features, run

DIRECTIONS = ("collect", "distribute")
SIZES = [(9, 7), (8, 12), (9, 12)]


class LoopedMask(nn.Module):
    """The compiled operator by its definition: one place of one mask at a time."""

    def __init__(self, psa_type: str, mask_size: tuple[int, int]):
        super().__init__()
        self.psa_type, self.mask_size = psa_type, mask_size

    def forward(self, masks):
        images, _, height, width = masks.shape
        table = masks.view(images, *self.mask_size, height, width)
        logits = masks.new_zeros(images, height, width, height, width)
        half_row, half_col = ((length - 1) // 2 for length in self.mask_size)
        for row, col in product(range(height), range(width)):
            for mask_row, mask_col in product(*map(range, self.mask_size)):
                to_row, to_col = mask_row + row - half_row, mask_col + col - half_col
                if 0 <= to_row < height and 0 <= to_col < width:
                    logit = table[:, mask_row, mask_col, row, col]
                    if self.psa_type == "collect":
                        logits[:, to_row, to_col, row, col] = logit
                    else:
                        logits[:, row, col, to_row, to_col] = logit
        return logits.view(images, height * width, height, width)


def settings(mask_size):
    return {
        "in_channels": CHANNELS[0],
        "in_index": 0,
        "channels": 6,
        "num_classes": CLASSES,
        "norm_cfg": {"type": "BN"},
        "mask_size": mask_size,
        "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
    }


def draw(head):
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in head.parameters():
            nn.init.normal_(parameter, std=0.7)
    return head.eval()


@pytest.mark.filterwarnings("ignore:When align_corners=True:UserWarning:mmseg")
@pytest.mark.parametrize("mask_size", [(9, 11), (5, 3), (4, 6)])
def test_checkpoints_of_the_stock_head_load_and_do_the_same(monkeypatch, mask_size):
    monkeypatch.setattr(psa_head, "PSAMask", LoopedMask)
    stock = draw(psa_head.PSAHead(**settings(mask_size)))
    head = PointwiseHead(border=1, **settings(mask_size)).eval()
    shapes = {key: value.shape for key, value in head.state_dict().items()}
    assert shapes == {key: value.shape for key, value in stock.state_dict().items()}
    head.load_state_dict(stock.state_dict())
    with torch.no_grad():
        for height, width in SIZES:
            inputs = features(height, width, images=2)
            torch.testing.assert_close(head(inputs), stock(inputs), rtol=1e-4, atol=1e-5)


def test_a_mask_lies_around_its_cell():
    # Three cells in a row; each mask has a logit for the cell to the left, itself and to the right.
    masks = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])[None, :, None]
    logits = spread(masks, *relative_places((1, 3), (1, 3), masks.device))[0]
    # From cell 0 cell 2 is two to the right, off the mask.
    assert logits.mT.tolist() == [[4, 7, 0], [2, 5, 8], [0, 3, 6]]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("border", "height", "width"),
    [*((border, *size) for border in (0, 1) for size in SIZES), (0, 1, 5), (0, 1, 4)],
)
def test_any_size_is_read_with_the_border_or_without(direction, border, height, width):
    record = READERS[f"psanet_{direction}"]
    head = draw(PointwiseHead(border=border, **settings((5, 9))))
    seen = run(head, record.watch, features(height, width))
    with torch.no_grad():
        reading = record.read(head, seen)
        ours, network = record.rebuilt(head, seen, reading)
        corner = reading.shown.row(Cell(0, 0))
    assert network.std() > 1e-3
    torch.testing.assert_close(ours, network, rtol=1e-4, atol=1e-5)
    if border:
        # The outermost cells lie on the border, where there is nothing.
        assert float(corner.sum()) < 0.5
    else:
        assert float(corner.sum()) == pytest.approx(1)


@pytest.mark.parametrize(("height", "width"), [(45, 60), (46, 60), (45, 59), (32, 32)])
def test_the_masks_cover_the_maps_of_the_page(height, width):
    head = build_head(HEADS["psanet"], CHANNELS, 8, num_classes=CLASSES)
    _, on_mask = relative_places(shrunk(height, width).shape, head.mask_size, torch.device("cpu"))
    assert on_mask.all()


def test_only_a_map_with_both_sides_odd_is_halved_corner_to_corner():
    assert shrunk(9, 7) == ((5, 4), True)
    assert shrunk(8, 12) == ((4, 6), False)
    assert shrunk(45, 60) == ((22, 30), False)
