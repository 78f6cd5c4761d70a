"""Compiles the kernels, once for each instruction set, where a C compiler is available.

The installation runs it before the package can be imported: it may import nothing but the standard
library.
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
# From the most to the least capable. On ARM the last is NEON.
INSTRUCTIONS: dict[str, tuple[str, ...]] = {"plain": ()}
if platform.machine() in _X86:
    INSTRUCTIONS = {"avx512": (*_AVX2, *_AVX512), "avx2": _AVX2, **INSTRUCTIONS}

_FLAGS = (
    "-std=gnu11", "-O3", "-fno-math-errno", "-ffp-contract=fast", "-fopenmp", "-fPIC", "-shared",
    "-fvisibility=default",
)  # fmt: skip


def library_path(instructions: str, folder: Path = FOLDER) -> Path:
    """Return the path of the library for an instruction set; it changes with the sources."""
    text = b"".join((FOLDER / name).read_bytes() for name in (*SOURCES, *HEADERS))
    return folder / f"kernels_{instructions}_{zlib.crc32(text):08x}.so"


def build(folder: Path = FOLDER) -> list[Path]:
    """Compile into `folder` and return the libraries; none without a suitable compiler."""
    command = compiler()
    made = []
    for instructions, flags in INSTRUCTIONS.items() if command else ():
        target = library_path(instructions, folder)
        # Written under another name and moved: a process that starts meanwhile never loads a
        # partial file.
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
    """Return the command of the C compiler, empty if there is none."""
    named = shlex.split(os.environ.get("CC", ""))
    found = [[path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))]
    return named or next(iter(found), [])
