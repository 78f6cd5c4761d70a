"""Pixels and cells: every small grid over every small image, whole."""

import itertools

import pytest

from asa_viz.geometry import Box, Cell, Grid, Pixel

SIDES = range(1, 8)
LENGTHS = range(1, 18)


@pytest.mark.parametrize("height", SIDES)
@pytest.mark.parametrize("image_height", LENGTHS)
def test_every_pixel_lies_in_the_box_of_its_cell(height, image_height):
    # Rows and columns are independent: another proportion runs along the other axis.
    grid = Grid(height, 3, image_height, 7)
    for x, y in itertools.product(range(7), range(image_height)):
        cell = grid.cell_at(Pixel(x, y))
        left, top, right, bottom = grid.box_of(cell)
        assert left <= x < right
        assert top <= y < bottom


@pytest.mark.parametrize("width", SIDES)
@pytest.mark.parametrize("image_width", LENGTHS)
def test_boxes_tile_the_image_and_are_never_empty(width, image_width):
    grid = Grid(1, width, 1, image_width)
    boxes = [grid.box_of(Cell(0, col)) for col in range(width)]
    assert all(box.right > box.left for box in boxes)
    assert all(
        grid.box_of(Cell(0, col)).left <= grid.centre_of(Cell(0, col)).x for col in range(width)
    )
    if image_width >= width:
        assert boxes[0].left == 0
        assert boxes[-1].right == image_width
        assert all(a.right == b.left for a, b in itertools.pairwise(boxes))
        assert all(grid.cell_at(grid.centre_of(Cell(0, col))).col == col for col in range(width))


def test_by_hand():
    """Ten pixels over four cells: centres 0.5 .. 9.5 against borders at 2.5, 5 and 7.5.

    The centre of pixel 2 lies on the border 2.5 and belongs to the cell that begins there.
    """
    grid = Grid(2, 4, 360, 10)
    assert [grid.cell_at(Pixel(x, 0)).col for x in range(10)] == [0, 0, 1, 1, 1, 2, 2, 3, 3, 3]
    assert grid.box_of(Cell(1, 1)) == Box(2, 180, 5, 360)
    assert grid.cell_at(Pixel(9, 359)) == Cell(1, 3)
    assert grid.size == 8


@pytest.mark.parametrize("pixel", [Pixel(-1, 0), Pixel(10, 0), Pixel(0, -1), Pixel(0, 6)])
def test_a_pixel_outside_is_refused(pixel):
    with pytest.raises(ValueError, match="outside the 10 x 6 image"):
        Grid(2, 3, 6, 10).cell_at(pixel)


@pytest.mark.parametrize("cell", [Cell(-1, 0), Cell(2, 0), Cell(0, 3)])
def test_a_cell_outside_is_refused(cell):
    with pytest.raises(ValueError, match="outside the grid"):
        Grid(2, 3, 6, 10).box_of(cell)


def test_a_grid_without_cells_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Grid(0, 3, 6, 10)
