"""A visitor's picture stays as long as it is asked about, and within a total."""

import os
import time
from pathlib import Path

from app.server.uploads import Sweeper
from app.validation import picture_file


def put(folder, name, age, size=10):
    """A picture that was last asked about `age` seconds ago, in a folder of its own."""
    path = folder / name / "own.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(size))
    for each in (path, path.parent):
        os.utime(each, (time.time() - age,) * 2)
    return path


def test_what_nobody_asked_about_for_an_hour_goes(tmp_path):
    old, young = put(tmp_path, "a", 3700), put(tmp_path, "b", 3500)
    aborted = tmp_path / "tmpxyz"
    aborted.write_bytes(b"half")
    os.utime(aborted, (time.time() - 3700,) * 2)
    Sweeper(tmp_path).sweep()
    assert not old.exists()
    assert not aborted.exists()
    assert young.exists()
    Sweeper(tmp_path).sweep()
    # Its folder has been changed by that, and goes once nobody can be putting something there.
    os.utime(old.parent, (time.time() - 100,) * 2)
    Sweeper(tmp_path).sweep()
    assert not old.parent.exists()
    assert young.parent.exists()


def test_over_the_total_the_oldest_go(tmp_path):
    paths = [put(tmp_path, str(k), 100 * k, size=10) for k in range(1, 6)]
    Sweeper(tmp_path, most_bytes=35).sweep()
    assert [path.exists() for path in paths] == [True, True, True, False, False]


def test_who_asks_about_a_picture_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = put(tmp_path, "a", 3700)
    assert picture_file({"path": str(path)}) == str(path)
    Sweeper(tmp_path).sweep()
    assert path.exists()


def test_a_folder_that_is_gone_or_a_link_out_of_it_does_no_harm(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(bytes(100))
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "precious")
    Sweeper(folder, seconds=-1, most_bytes=0).sweep()
    assert (outside / "precious").exists()
    assert list(Path(folder).iterdir()) in ([], [folder / "link"])
