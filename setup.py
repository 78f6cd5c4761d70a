"""The parts of the installation that pyproject.toml cannot say: kernels, and the networks.

The compiled kernels are left out where there is no C compiler.
"""

import importlib.util
import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

PACKAGE = "asa_viz.attention.native"
FOLDER = Path(__file__).parent / PACKAGE.replace(".", "/")

# By its path: the package itself needs what is not yet installed.
_specification = importlib.util.spec_from_file_location("build", FOLDER / "build.py")
kernels = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(kernels)


class BuildKernels(build_ext):
    """One library for each set of instructions, loaded by ctypes: no module of Python."""

    def build_extension(self, extension: Extension) -> None:
        """Compile them to where the package is built."""
        self._built.mkdir(parents=True, exist_ok=True)
        if not kernels.build(self._built):
            print("The compiled attention is left out: there is no C compiler that can build it.")

    def get_outputs(self) -> list[str]:
        """Return the libraries that are built."""
        return [str(path) for path in self._built.glob("*.so")]

    def copy_extensions_to_source(self) -> None:
        """Copy them beside their sources, for an installation that is edited in place."""
        for path in self.get_outputs():
            shutil.copy(path, FOLDER)

    @property
    def _built(self) -> Path:
        return Path(self.build_lib, *PACKAGE.split("."))


class WithNetworks(build_py):
    """Copies `checkpoints/` into the package, where `asa_viz.checkpoints` looks for it."""

    def run(self) -> None:
        """Build, and copy unless the package is used where it lies."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, "asa_viz", "checkpoints")
            shutil.copytree("checkpoints", target, dirs_exist_ok=True)


class PlatformWheel(bdist_wheel):
    """A wheel for this platform and any Python 3."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return the tags of Python, its binary interface and the platform."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[Extension(f"{PACKAGE}.kernels", sources=[], optional=True)],
    cmdclass={
        "build_ext": BuildKernels,
        "build_py": WithNetworks,
        "bdist_wheel": PlatformWheel,
    },
)
