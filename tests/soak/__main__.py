"""Load the page as a class and a crowd do, and print what docs/promises.md states: `make soak`.

Ends with 1 where a bound is not held.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from app.gallery import EXAMPLES
from tests.app.server_process import Page
from tests.soak.fairness import fairness
from tests.soak.visitor import Visitor, at, pause, picture

MOST_MEGABYTES = 1100
# Of the encodes after the store of sessions is full.
MOST_GROWTH = 20
QUESTION_SECONDS = 0.3
CROWD_SECONDS = 2.5
MOST_TIMES_SLOWER = 2.0
WHAT_IF = {
    "nonlocalFactor": 1.0, "localFactor": 1.0, "reciprocity": True, "localRule": True,
    "window": None, "topK": None,
}  # fmt: skip


def about(source, draw):
    """Return a question about a pixel of a picture that is at least so large."""
    pixel = [draw.randrange(300), draw.randrange(300)]
    return {"source": source, "pixel": pixel, "what_if": WHAT_IF, "language": "en"}


def growth(memory):
    """Return how much more is held in the last quarter than in the one before.

    A pass takes up to 100 MB that go back when it ends, and chance says which figures meet one:
    what is held between passes is the first decile.
    """
    quarter = len(memory) // 4
    before, last = (
        sorted(part)[quarter // 10] for part in (memory[-2 * quarter : -quarter], memory[-quarter:])
    )
    return last - before


class Soak:
    """One real server under load; `held` is whether every bound was."""

    def __init__(self, page):
        self._page = page
        self._process = Path(f"/proc/{page.process.pid}")
        self.held = True

    def say(self, what, value, bound=None, unit=""):
        """Print a figure, and whether it is within its bound."""
        within = bound is None or value <= bound
        self.held = self.held and within
        limit = "" if bound is None else f"(at most {bound:g}: {'held' if within else 'NOT HELD'})"
        digits = 3 if unit == "s" else 0
        print(f"{what:46} {value:8.{digits}f} {unit:2} {limit}", flush=True)

    @property
    def megabytes(self):
        """The memory of the server that is resident."""
        pages = int((self._process / "statm").read_text().split()[1])
        return pages * 4096 / 1e6

    @property
    def files(self):
        """How many files and sockets the server has open."""
        return len(list((self._process / "fd").iterdir()))

    async def a_class(self, visitors, encodes):
        """Let each visitor encode pictures of their own, and ask about them."""
        times, errors, memory = {}, [], []
        left = iter(range(encodes))

        async def come(number):
            draw = random.Random(number)
            async with Visitor(self._page.address, times) as visitor:
                await pause(draw, 0, 5)
                await visitor.open()
                for seed in left:
                    source = await visitor.send(picture(seed))
                    told = await visitor.ask("encode", source=source)
                    memory.append(self.megabytes)
                    if told is None:
                        continue
                    await visitor.fetch(told["file"])
                    for _ in range(3):
                        await pause(draw, 0.5, 2)
                        await visitor.ask("pair_plane", **about(source, draw))
                errors.extend(visitor.errors)

        await asyncio.gather(*map(come, range(visitors)))
        files = self.files
        print(f"{visitors} visitors, {encodes} pictures of their own")
        self.say("  the page, 95 %", at(times["page"], 0.95), 1, "s")
        asked = times.get("pair_plane", [])
        self.say("  a question about an encoded one, median", at(asked, 0.5), unit="s")
        self.say("  a question about an encoded one, 95 %", at(asked, 0.95), QUESTION_SECONDS, "s")
        self.say("  an encode with its wait, median", at(times["encode"], 0.5), unit="s")
        self.say("  errors", len(errors), 0)
        self.say("  memory, the most", max(memory), MOST_MEGABYTES, "MB")
        self.say("  memory, growth over the last quarter", growth(memory), MOST_GROWTH, "MB")
        self.say("  open files at the end", files)
        return errors

    async def a_crowd(self, visitors, seconds):
        """Let many come within a minute, open a photograph, and now and then ask the server.

        Clicks and hovering ask nothing of it.
        """
        times, errors = {}, []
        async with Visitor(self._page.address, {}) as first:
            await first.open()
            for example in EXAMPLES:
                await first.ask("pair_plane", **about(example.name, random.Random(0)))
        end = time.monotonic() + seconds

        async def come(number):
            draw = random.Random(number)
            async with Visitor(self._page.address, times) as visitor:
                await pause(draw, 0, min(60, seconds / 2))
                await visitor.open()
                name = draw.choice(EXAMPLES).name
                await visitor.fetch(visitor.stored(name))
                while time.monotonic() < end:
                    await pause(draw, 15, 45)
                    await visitor.ask("pair_plane", **about(name, draw))
                errors.extend(visitor.errors)

        await asyncio.gather(*map(come, range(visitors)))
        answers = [each for seconds in times.values() for each in seconds]
        print(f"{visitors} visitors of the photographs that ship, for {seconds:.0f} s")
        self.say("  answers", len(answers))
        self.say("  errors", len(errors), 0)
        self.say("  an answer, 95 %", at(answers, 0.95), CROWD_SECONDS, "s")
        self.say("  memory at the end", self.megabytes, MOST_MEGABYTES, "MB")
        return errors


def main():
    """Run the parts, and say whether all bounds were held."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few minutes in place of thirty")
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--encodes", type=int, help="300, or 60 with --short")
    parser.add_argument("--crowd", type=int, default=200)
    parser.add_argument("--seconds", type=float, help="of the crowd: 600, or 60 with --short")
    parser.add_argument("--only", choices=("class", "crowd", "fairness"))
    asked = parser.parse_args()
    encodes = asked.encodes or (60 if asked.short else 300)
    seconds = asked.seconds or (60 if asked.short else 600)
    held = True
    if asked.only != "fairness":
        with tempfile.TemporaryDirectory() as folder:
            page = Page(folder, "--port", "0").answers()
            soak, errors = Soak(page), []
            try:
                if asked.only != "crowd":
                    errors += asyncio.run(soak.a_class(asked.visitors, encodes))
                if asked.only != "class":
                    errors += asyncio.run(soak.a_crowd(asked.crowd, seconds))
            finally:
                code, said = page.end()
            for error in errors[:10]:
                print("  error:", *error)
            print("  the server ended with", code, said if code else "")
            held = soak.held and code == 0
    if asked.only in (None, "fairness"):
        held = _fairness(10 if asked.short else 60) and held
    sys.exit(not held)


def _fairness(seconds):
    """Print what each kind of flood does; says whether none more than doubles others' waits."""
    found = fairness(seconds)
    alone = found["alone"]["p95"]
    print("five visitors beside a flood of 60 tasks, encodes of 50 ms, 95 %")
    for kind, figures in found.items():
        times = figures["p95"] / alone
        print(f"  {kind:8} {figures['p95']:6.3f} s, {times:4.1f} times {figures['flood']}")
    return all(each["p95"] <= MOST_TIMES_SLOWER * alone for each in found.values())


if __name__ == "__main__":
    main()
