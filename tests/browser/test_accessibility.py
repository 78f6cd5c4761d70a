"""axe-core finds nothing at all on the page in any of its main states."""

from pathlib import Path

import pytest

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "device_scale_factor": 3}


@pytest.fixture(scope="module")
def axe():
    if not AXE.exists():
        pytest.skip("axe-core is not there: run `npm ci`")
    return AXE.read_text("utf-8")


def check(visit, axe):
    """Nothing in all of the page, of whatever impact, hidden parts left out."""
    visit.page.evaluate(f"() => {{ {axe} }}")
    found = visit.page.evaluate(
        """() => axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
          violations.map(({ id, impact, nodes }) => [id, impact, ...nodes.map(
            ({ html, any, all, none }) => [html.slice(0, 160), ...any, ...all, ...none]
              .map((e) => e.message ?? e).join("; "))]))"""
    )
    assert found == []


def sheet(visit, name):
    """Open a sheet of controls, where the page has sheets: on a phone."""
    if (button := visit.page.locator(f'.asa .phone-bar [data-sheet="{name}"]')).is_visible():
        button.click()


@pytest.mark.parametrize(
    "wishes", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"]
)
def test_the_page_is_open_to_everybody(visitors, axe, wishes):
    visit = visitors(**wishes).open()
    check(visit, axe)
    visit.page.evaluate(
        "asaViz.lock([100, 100]); asaViz.pin(); asaViz.lock([500, 400]); asaViz.pin()"
    )
    visit.page.evaluate("asaViz.store.set({ compare: [0, 1] })")
    visit.settle()
    sheet(visit, "rule")
    visit.set('[data-what-if="nonlocalFactor"]', 2)
    sheet(visit, "numbers")
    visit.find('[data-tab="classes"]').evaluate("(tab) => tab.click()")
    visit.do("export")
    check(visit, axe)
    visit.page.keyboard.press("Escape")
    visit.page.evaluate("asaViz.store.set({ compare: null })")
    sheet(visit, "rule")
    visit.do("rerun")
    visit.wait("viewer.rerun").settle()
    visit.do("lesson")
    for step in (1, 11, 12, 13):
        visit.page.evaluate(f"asaViz.store.set({{ lesson: {step} }})")
        check(visit, axe)
    visit.page.evaluate("asaViz.store.set({ lesson: null, methods: 'all', locked: true })")
    visit.compared()
    check(visit, axe)
    visit.find(".methods .bar button").first.evaluate("(button) => button.click()")
    check(visit, axe)
    visit.page.keyboard.press("Escape")
    visit.find('[data-method="cbam"] .about').click()
    check(visit, axe)
    # A phone shows the segmentation at this stage of the film.
    visit.page.evaluate("asaViz.store.set({ methods: null, stage: 'result' })")
    visit.settle().set('[data-set="layer"]', "groups")
    visit.page.evaluate("asaViz.status(asaViz.say('error.server'))")
    check(visit, axe)
