"""Clicks reach the right cell, pictures are encoded once and again only where they must be."""

import pytest

from app.gallery import EXAMPLES
from app.handlers import Desk, Newest, Visit
from asa_viz.figures.panels import panel_size
from asa_viz.geometry import Cell, Pixel
from asa_viz.images import read_image
from asa_viz.session import SessionStore
from tests.fakes import fake_session

SHARED = "shared.jpg"


class Encoder:
    """Counts how often each picture is encoded; the original is larger than what is shown."""

    def __init__(self):
        self.asked = []

    def __call__(self, source, network):
        self.asked.append((source, network))
        return fake_session(image_size=(601, 799), learned=network != "dense")


@pytest.fixture
def encode():
    return Encoder()


@pytest.fixture
def desk(encode):
    return Desk(encode, SessionStore(), shared=frozenset({SHARED}))


@pytest.fixture
def visit(desk):
    return desk.open("own.jpg", "asa", None)


def test_the_corners_of_a_panel_are_the_corners_of_the_image(desk, visit):
    width, height = panel_size(fake_session().picture)
    for (x, y), corner in {
        (0, 0): Cell(0, 0),
        (width - 1, 0): Cell(0, 11),
        (0, height - 1): Cell(8, 0),
        (width - 1, height - 1): Cell(8, 11),
    }.items():
        assert desk.screen(desk.click(visit, x, y), local=False).cell == corner


def test_a_click_marks_the_cell_that_the_panel_shows_there(desk, visit):
    panel_width, panel_height = panel_size(fake_session().picture)
    grid = fake_session(image_size=(601, 799)).grid
    for x in range(3, panel_width, 89):
        for y in range(5, panel_height, 71):
            assert grid.cell_at(desk.click(visit, x, y).query) == Cell(
                (2 * y + 1) * 9 // (2 * panel_height), (2 * x + 1) * 12 // (2 * panel_width)
            )


@pytest.mark.parametrize("point", [(-5, -5), (10**6, 10**6)])
def test_a_click_from_outside_lands_on_the_edge(desk, visit, point):
    query = desk.click(visit, *point).query
    assert query in (Pixel(0, 0), Pixel(798, 600))


def test_a_cell_outside_becomes_the_nearest(desk, visit):
    assert desk.screen(desk.move(visit, Cell(4, 7)), local=False).cell == Cell(4, 7)
    assert desk.screen(desk.move(visit, Cell(-1, 99)), local=False).cell == Cell(0, 11)


def test_a_session_that_was_let_go_is_encoded_again(encode):
    desk = Desk(encode, SessionStore(max_bytes=0))
    first = desk.open("first.jpg", "asa", None)
    desk.open("second.jpg", "asa", None)
    encode.asked.clear()
    screen = desk.screen(first, local=False)
    assert encode.asked == [("first.jpg", "asa")]
    assert screen.visit.session_id != first.session_id
    desk.screen(screen.visit, local=False)
    assert len(encode.asked) == 1


def test_a_gallery_picture_is_encoded_once_for_everybody(desk, encode):
    ids = {desk.open(SHARED, "asa", None).session_id for _ in range(3)}
    assert len(ids) == 1
    assert encode.asked == [(SHARED, "asa")]
    assert desk.open(SHARED, "dense", None).session_id not in ids


def test_an_uploaded_picture_is_its_visitors_own(desk):
    assert len({desk.open("own.jpg", "asa", None).session_id for _ in range(3)}) == 3


def test_another_network_keeps_the_query_and_a_smaller_picture_does_not(desk):
    assert desk.open(SHARED, "dense", Pixel(12, 34)).query == Pixel(12, 34)
    query = desk.open(SHARED, "asa", Pixel(5000, 34)).query
    assert 0 <= query.x < 799
    assert 0 <= query.y < 601


@pytest.mark.parametrize("network", ["asa", "dense"])
@pytest.mark.parametrize("local", [False, True])
def test_every_panel_is_drawn_for_every_network(desk, network, local):
    screen = desk.screen(desk.open("own.jpg", network, None), local)
    assert set(screen.panels) == set(screen.captions) < set(screen.headings)
    assert len(screen.panels) == 6


def test_only_the_newest_request_of_a_visitor_holds():
    newest = Newest(visitors=2)
    first, other, second = newest.take("a"), newest.take("b"), newest.take("a")
    assert not newest.holds("a", first)
    assert newest.holds("a", second)
    assert newest.holds("b", other)
    newest.take("c")
    assert newest.holds("b", other)


def test_every_photograph_of_the_gallery_ships_with_its_query_inside():
    for example in EXAMPLES:
        height, width = read_image(example.path).rgb.shape[:2]
        assert example.query.x < width
        assert example.query.y < height


def test_a_visit_is_all_that_is_kept_of_a_visitor(desk, visit):
    assert isinstance(visit, Visit)
    assert visit.source == "own.jpg"
    assert len(visit.session_id) > 20
