"""Upload the page to a Hugging Face Space: python -m app.to_space OWNER/NAME [--gpu] [--dry-run].

`huggingface-cli login`, or HF_TOKEN, gives the account. Files in the Space that are not needed are
deleted.
"""

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What the page needs to run; tests, documentation and tools are left out.
NEEDED = (
    "README.md", "LICENSE", "CITATION.cff", "space.py", "requirements.txt", "app", "asa_viz",
    "checkpoints",
)  # fmt: skip
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
# What the Hub shows where the address of the Space is pasted; it asks for a whole address.
THUMBNAIL = "https://huggingface.co/spaces/{space}/resolve/main/app/link_preview.jpg"
# System libraries of the OpenCV build that mmcv depends on.
SYSTEM_PACKAGES = ("libgl1", "libglib2.0-0")
BINARIES = ("*.safetensors", "*.jpg", "*.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the arguments, lay out the files, and upload or list them."""
    parser = argparse.ArgumentParser(prog="python -m app.to_space", description=__doc__)
    parser.add_argument("space", metavar="OWNER/NAME", help="the Space; made if it is not there")
    parser.add_argument("--gpu", action="store_true", help="for hardware with a GPU, or ZeroGPU")
    parser.add_argument("--private", action="store_true", help="a new Space is seen by you alone")
    parser.add_argument("--dry-run", action="store_true", help="list the files, upload nothing")
    parsed = parser.parse_args(arguments)
    if parsed.space.count("/") != 1 or not all(parsed.space.split("/")):
        parser.error(f"a Space is called OWNER/NAME, not {parsed.space!r:.80}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        lay_out(folder, parsed.space, gpu=parsed.gpu)
        if parsed.dry_run:
            print(listing(folder))
        else:
            print(_upload(folder, parsed.space, private=parsed.private))


def lay_out(folder: Path, space: str, *, gpu: bool = False) -> None:
    """Copy what the page needs into a folder, in the layout of the Space called OWNER/NAME."""
    for name in _committed():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    readme = folder / "README.md"
    readme.write_text(with_thumbnail(readme.read_text("utf-8"), space), "utf-8")
    requirements = folder / "requirements.txt"
    if not gpu:
        requirements.write_text(for_cpu(requirements.read_text("utf-8")), "utf-8")
    (folder / "packages.txt").write_text("".join(f"{name}\n" for name in SYSTEM_PACKAGES))
    (folder / ".gitattributes").write_text(
        "".join(f"{name} filter=lfs diff=lfs merge=lfs -text\n" for name in BINARIES)
    )


def for_cpu(requirements: str) -> str:
    """Return requirements with the CPU build of torch, some gigabytes smaller.

    Raises:
        ValueError: they do not pin torch.
    """
    lines = requirements.splitlines()
    (pinned,) = [index for index, line in enumerate(lines) if line.startswith("torch==")]
    lines[pinned] = f"--extra-index-url {CPU_WHEELS}\n{lines[pinned]}+cpu"
    return "\n".join(lines) + "\n"


def with_thumbnail(readme: str, space: str) -> str:
    """Return a README whose front matter names the picture of link previews.

    Raises:
        ValueError: it has no front matter.
    """
    start, matter, text = readme.split("---\n", 2)
    if start:
        raise ValueError("README.md does not begin with its front matter.")
    return f"---\n{matter}thumbnail: {THUMBNAIL.format(space=space)}\n---\n{text}"


def listing(folder: Path) -> str:
    """Return the files of a folder with their sizes and the total size."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    lines = [
        f"{size:10}  {path.relative_to(folder).as_posix()}"
        for size, path in zip(sizes, files, strict=True)
    ]
    return "\n".join([*lines, f"{len(files)} files, {sum(sizes) / 1e6:.1f} MB"])


def _committed() -> list[str]:
    """Return the files under version control, so that leftovers of a run are not uploaded."""
    told = subprocess.run(  # noqa: S603 - the names are constants
        ["git", "ls-files", "-z", "--", *NEEDED],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in told.stdout.split("\0") if name]


def _upload(folder: Path, space: str, *, private: bool) -> str:
    """Upload a folder; returns the address of the Space."""
    from huggingface_hub import HfApi

    api = HfApi()
    made = api.create_repo(
        space, repo_type="space", space_sdk="gradio", private=private, exist_ok=True
    )
    api.upload_folder(
        repo_id=space, repo_type="space", folder_path=folder, delete_patterns=["*"],
        commit_message="Update the page",
    )  # fmt: skip
    return str(made)


if __name__ == "__main__":
    main()
