"""Pictures of the page's main states, to be looked at: python -m tests.browser.screenshots ADDRESS.

They are written to tests/browser/screenshots/, which is not kept.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from app.chromium import ARGUMENTS, executable
from tests.browser.visit import Visit

FOLDER = Path(__file__).with_name("screenshots")
STILL = {"locale": "en-GB", "reduced_motion": "reduce"}
DESKTOP = {"viewport": {"width": 1440, "height": 900}, **STILL}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "device_scale_factor": 2}


def main(address: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)

        def come(words="", **wishes):
            context = browser.new_context(**{**DESKTOP, **wishes})
            return Visit(context.new_page(), address.rstrip("/")).open(words)

        def take(visit, name, **how):
            visit.page.wait_for_timeout(500)
            visit.page.screenshot(path=FOLDER / f"{name}.png", **how)

        visit = come()
        take(visit, "desktop_light")
        visit.do("theme")
        take(visit, "desktop_dark")
        visit.do("theme")
        visit.page.evaluate(
            "asaViz.store.set({ locked: true, pins: [[190, 120], [420, 240]], compare: [0, 1] })"
        )
        visit.settle()
        visit.find('[data-tab="classes"]').click()
        take(visit, "compare")
        visit.page.evaluate("asaViz.store.set({ compare: null })")
        visit.set('[data-what-if="nonlocalFactor"]', 0)
        visit.do("rerun")
        visit.wait("viewer.rerun").settle()
        visit.find('[data-tab="pairs"]').click()
        visit.page.wait_for_selector(".asa .plane .main-svg")
        take(visit, "what_if_flips")
        visit.do("theme")
        take(visit, "what_if_flips_dark")
        visit.do("theme")
        visit.do("as-trained")
        visit.find('[data-tab="histogram"]').click()
        for key, value in {
            "map": "support",
            "layer": "groups",
            "scale": True,
            "direction": True,
        }.items():
            visit.set(f'[data-set="{key}"]', value)
        take(visit, "look_back_groups_log")
        visit.do("export")
        take(visit, "export_menu")
        visit.page.keyboard.press("Escape")
        bad = FOLDER / "bad.png"
        bad.write_bytes(b"no picture")
        visit.find(".open input").set_input_files(bad)
        visit.page.wait_for_function(
            "document.querySelector('.asa .status').textContent.length > 30"
        )
        take(visit, "error")
        bad.unlink()
        for stage in ("dense", "chosen", "back", "kept", "result"):
            take(come(f"?stage={stage}"), f"film_{stage}")
        take(come("?network=nonlocal_mobilenetv2_voc2012"), "dense_network")
        for step in (1, 4, 6, 9, 10, 14, 15, 17):
            take(come(f"?lesson={step}"), f"lesson_{step}", full_page=True)
        for language in ("zh-CN", "zh-TW"):
            take(come(locale=language), f"desktop_{language}")
            take(come("?lesson=6", locale=language), f"lesson_{language}", full_page=True)
        for width, height in [(1279, 800), (1024, 768), (800, 900), (1920, 1080), (2560, 1440)]:
            take(
                come(viewport={"width": width, "height": height}), f"width_{width}", full_page=True
            )
        for width in (360, 390):
            phone = {**PHONE, "viewport": {"width": width, "height": 740}}
            visit = come(**phone)
            take(visit, f"phone_{width}")
            take(visit, f"phone_{width}_whole", full_page=True)
            visit.page.mouse.wheel(0, 900)
            take(visit, f"phone_{width}_scrolled")
        visit.page.evaluate("window.scrollTo(0, 0)")
        visit.do("export")
        take(visit, "phone_export")
        take(come("?lesson=14", locale="zh-CN", **phone), "phone_lesson_zh-CN", full_page=True)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
