"""The folders of a running page: uploads, kept between runs, and packets, deleted with the run."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK = "lock"


class Folders:
    """A folder of this program in the system's temporary folder, and in it one for each run.

    A run locks its folder while it lives. An unlocked folder was left by a killed run and is
    deleted when the next run starts.
    """

    def __init__(self, base: Path | None = None) -> None:
        if base is None:
            base = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
        own = _own_folder(base)
        self.uploads = own / "uploads"
        self.uploads.mkdir(exist_ok=True, mode=0o700)
        runs = own / "runs"
        runs.mkdir(exist_ok=True, mode=0o700)
        # The lock keeps another run from starting between the check of a folder and its deletion.
        with FileLock(own / _LOCK):
            for run in runs.iterdir():
                _delete_if_left(run)
            self._run = Path(tempfile.mkdtemp(dir=runs))
            self._lock = FileLock(self._run / _LOCK)
            self._lock.acquire()
        self.packets = self._run / "packets"
        self.packets.mkdir()

    def use_for_uploads(self) -> None:
        """Set Gradio's folder for uploads; its default folder may belong to another user."""
        os.environ["GRADIO_TEMP_DIR"] = str(self.uploads)

    def delete_run(self, *, with_uploads: bool = False) -> None:
        """Delete the folder of this run; the uploads too, unless another run uses them."""
        with FileLock(self.uploads.parent / _LOCK):
            self._lock.release()
            shutil.rmtree(self._run, ignore_errors=True)
            if with_uploads and not any(self._run.parent.iterdir()):
                shutil.rmtree(self.uploads, ignore_errors=True)


def _own_folder(base: Path) -> Path:
    """Return a folder in `base` owned by this user, mode 0700.

    Raises:
        OSError: it cannot be created there.
    """
    user = os.getuid() if hasattr(os, "getuid") else os.getlogin()
    own = base / f"asa-viz-{user}"
    base.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        own.mkdir(mode=0o700)
    usable = own.is_dir() and not own.is_symlink() and os.access(own, os.W_OK | os.X_OK)
    if usable and (not hasattr(os, "getuid") or own.stat().st_uid == os.getuid()):
        return own.resolve()
    # Another user owns a folder of that name: use a random one, which no later run will clean up.
    return Path(tempfile.mkdtemp(prefix=f"{own.name}-", dir=base)).resolve()


def _delete_if_left(run: Path) -> None:
    try:
        with FileLock(run / _LOCK, timeout=0):
            pass
    except (Timeout, OSError):
        return
    shutil.rmtree(run, ignore_errors=True)
