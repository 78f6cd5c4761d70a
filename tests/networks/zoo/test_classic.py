"""The classical filters: the row that is read is that of the filter, on the image it is given."""

import pytest
import torch

from asa_viz.attention.classic import bilateral, mean_shift, non_local_means
from asa_viz.geometry import Cell
from asa_viz.networks.zoo import classic
from asa_viz.networks.zoo.methods import READERS

FILTERS = {
    "bilateral": lambda image: bilateral(
        image,
        window=READERS["bilateral"].method.settings["window"],
        space=classic.BILATERAL_SPACE,
        value=classic.BILATERAL_VALUE,
    ),
    "non_local_means": lambda image: non_local_means(
        image,
        search=READERS["non_local_means"].method.settings["search"],
        patch=READERS["non_local_means"].method.settings["patch"],
        strength=classic.MEANS_STRENGTH,
    ),
    "mean_shift": lambda image: mean_shift(
        image,
        space=classic.SHIFT_SPACE,
        value=classic.SHIFT_VALUE,
        steps=READERS["mean_shift"].method.settings["steps"],
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_the_row_is_that_of_the_filter_on_the_image(name):
    torch.manual_seed(0)
    images = torch.rand(2, 3, 12, 15)
    query = Cell(3, 10)
    rows = [READERS[name].read(image).shown.row(query) for image in images]
    for row, image in zip(rows, images, strict=True):
        torch.testing.assert_close(row, FILTERS[name](image).row(query))
        assert float(row.sum()) == pytest.approx(1, rel=1e-5)
    assert not torch.allclose(*rows)


@pytest.mark.parametrize("name", FILTERS)
def test_no_filter_reads_across_an_edge(name):
    """Blue above, red below: a cell reads its own half alone, and farther than its neighbours."""
    image = torch.zeros(3, 20, 16)
    image[2, :10] = 1
    image[0, 10:] = 1
    row = READERS[name].read(image).shown.row(Cell(5, 8))
    assert float(row[:10].sum()) > 0.999
    assert int((row > 1e-3).sum()) > 30
