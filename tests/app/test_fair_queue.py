"""The queue is fair: the visitor served longest ago is next, and who has left is not waited for."""

import asyncio
import random

import pytest

from app.server import fair_queue as module
from app.server.fair_queue import Asker, BusyError, FairQueue, LeftError


class Room:
    """Visitors who ask; notes in which order they are served."""

    def __init__(self):
        self.turns = FairQueue()
        self.served = []
        self.may_go_on = asyncio.Semaphore(0)

    async def ask(self, visitor, **about):
        async with self.turns.turn(Asker(visitor, **about)):
            self.served.append(visitor)
            await self.may_go_on.acquire()

    def come(self, visitor, **about):
        return asyncio.create_task(self.ask(visitor, **about))

    async def serve(self, count):
        for _ in range(count):
            self.may_go_on.release()
            await settle()


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_flooding_visitor_is_served_in_between(monkeypatch):
    async def story():
        room = Room()
        asked = [room.come("flood") for _ in range(6)]
        await settle()
        asked += [room.come(name) for name in "abc"]
        await settle()
        await room.serve(9)
        await asyncio.gather(*asked)
        return room.served

    assert asyncio.run(story()) == ["flood", "a", "b", "c"] + ["flood"] * 5


def test_whoever_comes_waits_for_one_turn_of_a_flood_at_most():
    async def story(seed):
        draw, room = random.Random(seed), Room()
        asked, waits = [room.come("flood") for _ in range(8)], []
        await settle()
        for k in range(30):
            before = len(room.served)
            visitor = room.come(f"v{k}")
            await settle()
            while not visitor.done():
                await room.serve(1)
            order = room.served[before:]
            waits.append(order.index(f"v{k}"))
            if draw.random() < 0.7:
                asked.append(room.come("flood"))
                await settle()
        room.may_go_on = asyncio.Semaphore(10**6)
        return waits

    for seed in range(3):
        assert max(asyncio.run(story(seed))) <= 1


def test_two_who_flood_share_alike():
    async def story():
        room = Room()
        asked = [room.come(name) for name in "aaaaabbbbb"]
        await settle()
        await room.serve(10)
        await asyncio.gather(*asked)
        return room.served

    assert "".join(asyncio.run(story())) == "ababababab"


def test_work_of_those_who_hung_up_is_dropped(monkeypatch):
    monkeypatch.setattr(module, "LOOKING_SECONDS", 0.01)
    left = False

    async def has_left():
        return left

    async def story():
        nonlocal left
        room = Room()
        first = room.come("first")
        await settle()
        asked = [room.come(f"v{k}", has_left=has_left) for k in range(60)]
        staying = room.come("staying")
        await settle()
        left = True
        outcomes = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 60)
        assert all(isinstance(each, LeftError) for each in outcomes)
        assert room.turns.waiting == 1
        await room.serve(2)
        await asyncio.gather(first, staying)
        return room.served

    assert asyncio.run(story()) == ["first", "staying"]


def test_a_turn_is_passed_on_whatever_happens_in_it_or_before_it():
    async def story():
        turns = FairQueue()

        async def fail():
            async with turns.turn(Asker("a")):
                raise ValueError("inside")

        with pytest.raises(ValueError, match="inside"):
            await fail()
        room = Room()
        room.turns = turns
        first, second, third = (room.come(name) for name in "abc")
        await settle()
        second.cancel()
        await settle()
        await room.serve(2)
        await asyncio.gather(first, third)
        # Called and cancelled in the same moment: nobody holds the turn.
        first, second, third = (room.come(name) for name in "xyz")
        await settle()
        room.may_go_on.release()
        while turns.waiting == 2:
            await asyncio.sleep(0)
        second.cancel()
        await settle()
        await room.serve(2)
        await asyncio.wait_for(asyncio.gather(first, third), 60)
        return room.served

    assert asyncio.run(story())[-1] == "z"


def test_one_visitor_one_address_and_all_together_have_their_bounds(monkeypatch):
    monkeypatch.setattr(module, "MOST_PER_VISITOR", 2)
    monkeypatch.setattr(module, "MOST_PER_ADDRESS", 3)
    monkeypatch.setattr(module, "MOST_WAITING", 4)

    async def story(askers):
        room = Room()
        asked = [room.come(visitor, address=address) for visitor, address in askers]
        await settle()
        refused = [
            k
            for k, each in enumerate(asked)
            if each.done() and isinstance(each.exception(), BusyError)
        ]
        room.may_go_on = asyncio.Semaphore(10)
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        return refused

    # The first is served and does not wait.
    assert asyncio.run(story([("a", "1")] * 4)) == [3]
    assert asyncio.run(story([(f"v{k}", "1") for k in range(5)])) == [4]
    assert asyncio.run(story([(f"v{k}", str(k)) for k in range(6)])) == [5]


def test_the_place_in_line_is_where_one_is_served():
    async def story(seed):
        draw, room = random.Random(seed), Room()
        names = [draw.choice("abcdefg") for _ in range(20)]
        asked = []
        for name in names:
            asked.append(room.come(name))
            await settle()
        await room.serve(draw.randrange(4))
        places = {name: place for name in "abcdefg" if (place := room.turns.place(name))}
        seen = len(room.served) - 1
        await room.serve(30)
        for name, (before, seconds) in places.items():
            last = max(k for k, each in enumerate(room.served) if each == name)
            assert last - seen == before, (seed, name)
            assert seconds >= 0
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    for seed in range(20):
        asyncio.run(story(seed))


def test_who_does_not_wait_has_no_place():
    assert FairQueue().place("a") is None
