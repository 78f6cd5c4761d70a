"""The cache of sessions stays within its bytes."""

from app.session_cache import SessionCache
from tests.fakes import fake_session


def test_the_cache_drops_the_least_recently_used_by_bytes():
    session = fake_session()
    store = SessionCache(max_bytes=3 * session.size_in_bytes)
    for key in "abc":
        store.put(key, session)
    assert store.get("a") is session
    store.put("d", session)
    assert store.get("b") is None
    assert all(store.get(key) is session for key in "acd")
    assert len(store) == 3
    assert store.size_in_bytes == 3 * session.size_in_bytes


def test_a_session_in_place_of_another_counts_once():
    first, second = fake_session(), fake_session(height=2)
    store = SessionCache()
    store.put("a", first)
    store.put("a", second)
    assert store.get("a") is second
    assert store.size_in_bytes == second.size_in_bytes


def test_one_session_is_kept_even_if_it_is_too_large():
    store = SessionCache(max_bytes=1)
    store.put("a", fake_session())
    store.put("b", fake_session())
    assert store.get("b") is not None
    assert len(store) == 1
