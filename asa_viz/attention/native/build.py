"""Compile the kernels, once for each set of instructions, where a C compiler is.

Run by the installation too, before anything else of the package can be imported: this file needs
nothing but Python.
"""

import os
import platform
import shlex
import shutil
import subprocess
import zlib
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCES = ("forward.c", "backward.c", "processor.c")
HEADERS = ("choice.h", "image.h", "sums.h", "vectors.h", "window.h")

_X86 = ("x86_64", "AMD64")
_AVX2 = ("-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mpopcnt")
_AVX512 = ("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512")
# From the most to the least that a processor may have. On ARM the last is NEON.
INSTRUCTIONS: dict[str, tuple[str, ...]] = {"plain": ()}
if platform.machine() in _X86:
    INSTRUCTIONS = {"avx512": (*_AVX2, *_AVX512), "avx2": _AVX2, **INSTRUCTIONS}

_FLAGS = (
    "-std=gnu11", "-O3", "-fno-math-errno", "-ffp-contract=fast", "-fopenmp", "-fPIC", "-shared",
    "-fvisibility=default",
)  # fmt: skip


def library_path(instructions: str, folder: Path = FOLDER) -> Path:
    """Return where the library for a set of instructions lies; another one for changed sources."""
    text = b"".join((FOLDER / name).read_bytes() for name in (*SOURCES, *HEADERS))
    return folder / f"kernels_{instructions}_{zlib.crc32(text):08x}.so"


def build(folder: Path = FOLDER) -> list[Path]:
    """Return the libraries compiled into `folder`: none without a compiler, or one unfit for it."""
    command = compiler()
    made = []
    for instructions, flags in INSTRUCTIONS.items() if command else ():
        target = library_path(instructions, folder)
        # Compiled beside it and moved: a program that starts meanwhile never loads half of one.
        unfinished = target.with_suffix(f".{os.getpid()}")
        sources = [str(FOLDER / name) for name in SOURCES]
        arguments = [*command, *_FLAGS, *flags, *sources, "-o", str(unfinished), "-lm"]
        try:
            subprocess.run(arguments, check=True, capture_output=True)  # noqa: S603 - a compiler
        except (OSError, subprocess.CalledProcessError):
            continue
        unfinished.replace(target)
        made.append(target)
    return made


def compiler() -> list[str]:
    """Return the command of the C compiler, empty where there is none."""
    named = shlex.split(os.environ.get("CC", ""))
    found = [[path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))]
    return named or next(iter(found), [])
