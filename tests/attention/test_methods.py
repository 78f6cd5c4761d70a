"""Every method of the zoo: rows, columns and weighted sums equal loops over its formula."""

import pytest
import torch

from asa_viz.attention import blockwise
from asa_viz.attention.base import resized
from asa_viz.attention.pattern import interlaced, isa_padding, ocnet_pyramid
from asa_viz.attention.window import carafe
from asa_viz.catalogue.method import LANGUAGES, family_title, texts
from asa_viz.catalogue.methods import FAMILIES, METHODS
from asa_viz.geometry import Cell
from tests.attention.watch import Watch
from tests.attention.zoo import (
    classic,
    content,
    content_selection,
    dense,
    low_rank,
    pattern,
    pooled,
    predicted,
    shared,
    window,
)
from tests.attention.zoo.plain import normal

# After the method's name a case may say, behind a comma, which of its forms it is.
CASES = {
    **content.CASES,
    **content_selection.CASES,
    **dense.CASES,
    **pattern.CASES,
    **window.CASES,
    **pooled.CASES,
    **low_rank.CASES,
    **predicted.CASES,
    **shared.CASES,
    **classic.CASES,
}
GRIDS = [(1, 1), (1, 5), (5, 7)]


@pytest.fixture(params=CASES)
def name(request):
    return request.param


@pytest.fixture(params=GRIDS, ids=str)
def grid(request):
    return request.param


@pytest.fixture
def _blocks_of_two_queries(monkeypatch):
    """At 5 x 7 the blocks of queries do not divide the map."""
    monkeypatch.setattr(blockwise, "BLOCK_WEIGHTS", 70)


def some_cells(shape):
    """Every third cell, the first and the last."""
    every = [Cell(row, col) for row in range(shape[0]) for col in range(shape[1])]
    return dict.fromkeys([*every[::3], every[-1]])


@pytest.mark.usefixtures("_blocks_of_two_queries")
def test_rows_columns_and_mixtures_are_those_of_the_loops(name, grid):
    attention, loops = CASES[name](*grid)
    matrix = torch.tensor(loops(), dtype=torch.float64)
    values = torch.randn(2, *attention.key_shape, dtype=torch.float64)
    mixed = attention.mix(values)
    torch.testing.assert_close(mixed.flatten(1), values.flatten(1) @ matrix.mT)
    sent = torch.randn(2, *attention.shape, dtype=torch.float64)
    received = attention.adjoint(sent)
    assert not received.requires_grad
    torch.testing.assert_close(received.flatten(1), sent.flatten(1) @ matrix)
    several = slice(len(matrix) // 3, len(matrix))
    torch.testing.assert_close(attention.rows_of(several), matrix[several])
    for query in some_cells(attention.shape):
        row = attention.row(query)
        expected = matrix[query.row * attention.width + query.col].view(attention.key_shape)
        torch.testing.assert_close(row, expected)
        torch.testing.assert_close((row * values).sum((1, 2)), mixed[:, query.row, query.col])
    for key in some_cells(attention.key_shape):
        column = matrix[:, key.row * attention.key_shape[1] + key.col]
        torch.testing.assert_close(attention.column(key), column.view(attention.shape))


def test_every_method_with_a_matrix_has_a_case_and_no_other():
    with_matrix = {name for name, method in METHODS.items() if method.exact != "none"}
    assert {name.partition(",")[0] for name in CASES} == with_matrix
    assert len(METHODS) - len(with_matrix) == 8


def test_rows_sum_to_what_the_record_says(name):
    attention = CASES[name](5, 7).attention
    row_sum = METHODS[name.partition(",")[0]].row_sum
    if name == "ccnet, with gain":
        row_sum = (1 + 0.7) ** 2
    if row_sum is not None:
        sums = attention.mix(torch.ones(1, *attention.key_shape, dtype=torch.float64))
        torch.testing.assert_close(sums, torch.full_like(sums, row_sum))


def test_no_row_reads_more_keys_than_the_record_says(name):
    attention = CASES[name](5, 7).attention
    most = METHODS[name.partition(",")[0]].effective_support.of
    if most is not None:
        for query in some_cells(attention.shape):
            assert attention.row(query).count_nonzero() <= most(*attention.key_shape)


@pytest.mark.parametrize(
    ("name", "small", "wide"),
    [
        ("nonlocal_embedded_gaussian", 4096, 8192),
        ("psanet_collect", 1024, 2048),
        ("isa", 128, 192),
        ("ccnet", 254, 382),
        ("ann_apnb", 110, 110),
        ("emanet", 64, 64),
        ("apcnet", 50, 50),
        ("stand_alone", 49, 49),
        ("dgmn", 36, 36),
        # A tenth of 4096 cells; of 256 blocks of 16 cells 26.
        ("indexer_top_k", 4096 + 410, 8192 + 819),
        ("mixture_of_block", 256 + 26 * 16, 512 + 51 * 16),
        ("native_sparse", 256 + 26 * 16 + 49, 512 + 51 * 16 + 49),
    ],
)
def test_weights_computed_for_one_query_by_hand(name, small, wide):
    """At output stride 8: of an image of 512 x 512, and of one of 512 x 1024."""
    count = METHODS[name].support_per_pass.of
    assert (count(64, 64), count(64, 128)) == (small, wide)


def test_no_array_of_n_by_n(name, monkeypatch):
    """Watch every tensor that making and asking an attention forms, blocks a tenth of n x n."""
    side = 24
    monkeypatch.setattr(blockwise, "BLOCK_WEIGHTS", side**4 // 10)

    with Watch() as watch:
        attention = CASES[name](side, side).attention
        values = torch.randn(2, *attention.key_shape)
        attention.mix(values)
        attention.adjoint(torch.randn(2, *attention.shape))
        attention.row(Cell(5, 7))
        attention.column(Cell(7, 5))
    assert 0 < watch.largest < side**4 / 4


def test_values_keep_their_precision_and_rows_that_of_the_weights(name):
    attention = CASES[name](5, 7).attention
    assert attention.mix(torch.randn(1, *attention.key_shape)).dtype == torch.float32
    assert attention.adjoint(torch.randn(1, *attention.shape)).dtype == torch.float32
    assert attention.row(Cell(0, 0)).dtype == torch.float64
    assert attention.column(Cell(0, 0)).dtype == torch.float64


def test_a_cell_outside_the_grid_is_refused(name):
    attention = CASES[name](5, 7).attention
    for shape, ask in (
        (attention.shape, attention.row),
        (attention.key_shape, attention.column),
    ):
        for cell in (Cell(-1, 0), Cell(0, shape[1]), Cell(shape[0], 0)):
            with pytest.raises(ValueError, match="outside the grid"):
                ask(cell)


def test_isa_loses_mass_to_its_padding_alone():
    for height, width in ((4, 6), (5, 7)):
        top, bottom, left, right = isa_padding(height, width, (2, 3))
        maps = normal(4, 4, height + top + bottom, width + left + right)
        attention = interlaced(
            (maps[0], maps[1]), (maps[2], maps[3]), height=height, width=width, block=(2, 3)
        )
        sums = attention.mix(torch.ones(1, height, width, dtype=torch.float64))
        whole = torch.full_like(sums, 1)
        if (height, width) == (4, 6):
            torch.testing.assert_close(sums, whole)
        else:
            assert (sums < whole).all()


def test_isa_pads_both_sides_the_second_by_more():
    assert isa_padding(64, 128, (8, 8)) == (0, 0, 0, 0)
    assert isa_padding(5, 7, (8, 8)) == (1, 2, 0, 1)


def test_maps_that_do_not_fit_are_refused():
    maps = normal(2, 4, 5, 7)
    with pytest.raises(ValueError, match="padded to 6 x 9"):
        interlaced((maps[0], maps[1]), (maps[0], maps[1]), height=5, width=7, block=(2, 3))
    with pytest.raises(ValueError, match="cannot be split"):
        ocnet_pyramid(maps[0], 6)
    with pytest.raises(ValueError, match="enlarged 2 times"):
        carafe(normal(25, 5, 4), 2)


def test_resizing_to_the_same_size_changes_nothing():
    attention = CASES["dgmn"](5, 7).attention
    same = resized(attention, 5, 7)
    torch.testing.assert_close(same.row(Cell(2, 3)), attention.row(Cell(2, 3)))


def test_what_is_not_translated_is_told_in_english(tmp_path, monkeypatch):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "en.json").write_text('{"a.title": "A", "b.title": "B"}')
    (tmp_path / "texts" / "zh-CN.json").write_text('{"a.title": "甲"}', encoding="utf-8")
    monkeypatch.setattr("asa_viz.catalogue.method.files", lambda _: tmp_path)
    texts.cache_clear()
    assert texts("zh-CN") == {"a.title": "甲", "b.title": "B"}
    texts.cache_clear()


def test_records_are_told_in_every_language():
    keys = {key for name in METHODS for key in (f"{name}.title", f"{name}.note")}
    keys |= {f"family.{family}" for family in FAMILIES}
    for language in LANGUAGES:
        assert set(texts(language)) == keys
        assert all(text.strip() for text in texts(language).values())
    for method in METHODS.values():
        assert set(method.title) == set(method.note) == set(LANGUAGES)
    assert all(family_title(family)["en"] for family in FAMILIES)


def test_methods_of_a_family_stand_together():
    order = [FAMILIES.index(method.family) for method in METHODS.values()]
    assert order == sorted(order)
    assert set(order) == set(range(len(FAMILIES)))
