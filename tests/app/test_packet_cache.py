"""The cache of packets stays within its bytes, and does not name a file that is gone."""

from pathlib import Path

from app.packet_cache import PacketCache


def test_the_least_recently_asked_for_go(tmp_path):
    packets = PacketCache(tmp_path, max_bytes=30)
    for key in "abc":
        packets.put(key, bytes(10))
    assert packets.find("a")
    packets.put("d", bytes(10))
    assert packets.find("b") is None
    assert all(packets.find(key) for key in "acd")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 30


def test_the_total_is_never_over_the_bound_and_what_is_found_is_there(tmp_path):
    packets = PacketCache(tmp_path, max_bytes=100)
    for k in range(200):
        packets.put(k % 23, bytes(1 + 7 * k % 31))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100
    found = [file for key in range(23) if (file := packets.find(key))]
    assert sorted(map(Path, found)) == sorted(tmp_path.iterdir())


def test_one_that_is_too_large_is_kept_alone(tmp_path):
    packets = PacketCache(tmp_path, max_bytes=5)
    packets.put("a", bytes(3))
    large = packets.put("b", bytes(9))
    assert [str(path) for path in tmp_path.iterdir()] == [large]


def test_a_packet_that_somebody_deleted_is_written_again(tmp_path):
    packets = PacketCache(tmp_path)
    Path(packets.put("a", b"one")).unlink()
    assert packets.find("a") is None
    assert Path(packets.put("a", b"two")).read_bytes() == b"two"
