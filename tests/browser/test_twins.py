"""One query in both networks of a pair: the one with ASA, and its dense twin."""

from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from app.gallery import EXAMPLES
from app.handlers import Answers
from app.packet_cache import PacketCache
from app.page import build_page, mount_settings
from app.server.serve import Application, serving
from app.session_cache import CachedEncoder, SessionCache
from app.viewer import dictionaries
from tests.browser.conftest import encode, rerun
from tests.browser.test_phone import UPRIGHT, seen_panels, swipe

ENGLISH = dictionaries()["en"]
TWINS = ["asa_small", "nonlocal_small"]
SHOWN = ("twin.dense", "twin.sparse", "twin.difference")


def encode_by(file, network):
    """A session by one of the twins, which differ in what they see, too."""
    if network == TWINS[0]:
        return encode(file, "asa")
    session = encode(file, "dense")
    return replace(session, segmentation=rerun(session, None))


class Pair:
    """The page with a pair of twins, and what the library answers by each."""

    def __init__(self, folder):
        self.encoder = CachedEncoder(encode_by, SessionCache())
        answers = Answers(self.encoder, rerun, TWINS, PacketCache(folder))
        with pytest.MonkeyPatch.context() as patch:
            # They have no cards that say so.
            patch.setattr("app.page.twin_of", lambda name, names: TWINS[1 - TWINS.index(name)])
            self.application = Application(build_page(answers, TWINS), mount_settings(answers))

    def rows(self, cell):
        """The rows of a cell by the dense twin and by ASA, in multiples of 1/n."""
        sessions = [self.encoder.session(str(EXAMPLES[0].path), name) for name in reversed(TWINS)]
        return [each.query_cell(cell).weights.ravel() * each.grid.size for each in sessions]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    pair = Pair(tmp_path_factory.mktemp("twins"))
    with serving(pair.application) as pair.address:
        yield pair


def drawn(visit, panel):
    return np.array(visit.ask(f"[...viewer.scenes.{panel}.values]"))


def titles(visit):
    return [visit.ask(f"viewer.scenes.{panel}.title") for panel in ("dense", "sparse", "map")]


def check_rows(visit, pair):
    """Both rows are those of the library, and said so."""
    dense, sparse = pair.rows(visit.cell)
    np.testing.assert_allclose(drawn(visit, "dense"), dense, rtol=2e-2, atol=2e-3)
    np.testing.assert_allclose(drawn(visit, "sparse"), sparse, rtol=2e-2, atol=2e-3)
    assert (sparse == 0).any()
    assert f"ASA reads {(sparse > 0).sum()} cells" in visit.text(".sentence")
    assert f"its dense twin reads {dense.size} cells" in visit.text(".sentence")


def test_both_rows_stand_beside_each_other_and_the_switch_leads_back(visitors, pair):
    visit = visitors(pair.address).open()
    visit.click("photo", (4, 6))
    before = visit.pictures(), visit.text(".sentence")
    switch = visit.find('[data-set="twin"]')
    visit.set('[data-set="twin"]', True)
    visit.wait("viewer.moment.twin").settle()
    assert titles(visit) == list(SHOWN)
    for name, key in zip(("dense", "sparse", "map"), SHOWN, strict=True):
        expect(visit.find(f'[data-panel="{name}"] .title')).to_have_text(ENGLISH[key])
        assert ENGLISH[key] in visit.canvas(name).get_attribute("aria-label")
    check_rows(visit, pair)
    # The next query is asked of both.
    visit.click("photo", (2, 3))
    visit.wait("viewer.moment.twin.row.i === viewer.moment.row.i")
    check_rows(visit, pair)
    # The same from the twin's side, and from a link.
    visit.set('[data-set="network"]', TWINS[1])
    visit.wait("viewer.opened.network === 'nonlocal_small' && viewer.moment.twin").settle()
    check_rows(visit, pair)
    again = visitors(pair.address)
    again.page.goto(visit.ask("viewer.link().url"))
    again.wait("viewer.moment.twin")
    check_rows(again.settle(), pair)
    visit.set('[data-set="network"]', TWINS[0])
    visit.wait("viewer.opened.network === 'asa_small' && viewer.moment.twin").settle()
    visit.click("photo", (4, 6))
    visit.set('[data-set="twin"]', False)
    expect(switch).not_to_be_checked()
    visit.page.mouse.move(2, 2)
    visit.wait("viewer.hovered === null").settle()
    assert visit.ask("viewer.moment.twin") is None
    assert (visit.pictures(), visit.text(".sentence")) == before
    assert titles(visit) == ["panel.dense.row", "panel.sparse.row", "map.nonlocal"]


def test_the_segmentations_of_twins_are_wiped_between(visitors, pair):
    visit = visitors(pair.address).open("?twin=1")
    visit.wait("viewer.moment.twin").settle()
    over = visit.find('[data-panel="segmentation"] .over')
    assert over.locator("span").all_inner_texts() == [ENGLISH["twin.left"], ENGLISH["twin.right"]]
    handle = over.locator("input")
    handle.focus()
    handle.press("Home")
    left = visit.pictures()["segmentation"]
    handle.press("End")
    assert visit.pictures()["segmentation"] != left


def test_a_network_without_a_twin_has_no_switch(visit):
    assert visit.find(".twin").is_hidden()


def test_a_phone_turns_through_the_panels_of_twins(visitors, pair):
    visit = visitors(pair.address, **UPRIGHT, device_scale_factor=2).open()
    visit.find('.phone-bar [data-sheet="pictures"]').tap()
    visit.find('[data-set="twin"]').tap()
    visit.page.keyboard.press("Escape")
    visit.wait("viewer.moment.twin").settle()
    assert visit.find(".stages").is_hidden()
    for name, key in zip(("dense", "sparse", "map"), SHOWN, strict=True):
        button = visit.find(f'.turns [data-turn="{name}"]')
        assert button.inner_text() == ENGLISH[key]
        button.tap()
        assert seen_panels(visit) == ["photo", name]
        assert button.get_attribute("aria-pressed") == "true"
    visit.find('.turns [data-turn="sparse"]').tap()
    swipe(visit, "sparse", -120)
    assert seen_panels(visit) == ["photo", "segmentation"]
    swipe(visit, "segmentation", 120)
    assert seen_panels(visit) == ["photo", "sparse"]
    visit.page.evaluate("asaViz.store.set({ twin: false })")
    assert visit.settle().find(".turns").is_hidden()
    assert visit.find(".stages").is_visible()
