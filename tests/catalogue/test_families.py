"""Catalogue, mathematics, heads and their tests are divided into files by the same families."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest

import asa_viz.attention
import asa_viz.catalogue
import asa_viz.networks.zoo.methods
from asa_viz.catalogue.methods import FAMILIES, METHODS

TESTS = Path(__file__).parents[1]
WITH_ROWS = {method.family for method in METHODS.values() if method.exact != "none"}


def modules(package: ModuleType) -> dict[str, ModuleType]:
    """Return the modules of a package that are named after a family, or `FAMILY_SUBJECT`."""
    names = [module.name for module in iter_modules(package.__path__)]
    return {
        name: import_module(f"{package.__name__}.{name}") for name in names if family_of(name) != ""
    }


def family_of(name: str) -> str:
    """Return the family that a file is named after, or nothing."""
    return next((f for f in FAMILIES if name == f or name.startswith(f"{f}_")), "")


def files(folder: str, prefix: str = "") -> set[str]:
    """Return the names of the files of a folder of tests that are named after a family."""
    stems = {path.stem for path in (TESTS / folder).glob(f"{prefix}*.py")}
    return {name for stem in stems if family_of(name := stem.removeprefix(prefix))}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_records_of_a_family_are_in_the_file_of_its_name(family):
    records = import_module(f"asa_viz.catalogue.{family}").METHODS
    assert {method.family for method in records} == {family}
    assert {method.name for method in records} == {
        name for name, method in METHODS.items() if method.family == family
    }


def test_each_family_with_rows_has_a_file_of_mathematics():
    assert {family_of(name) for name in modules(asa_viz.attention)} == WITH_ROWS
    assert set(modules(asa_viz.attention)) >= WITH_ROWS


def test_every_head_is_read_in_a_file_of_its_family():
    files_of_heads = modules(asa_viz.networks.zoo)
    assert set(files_of_heads) >= set(FAMILIES)
    read = {
        reader.method.name: family_of(name)
        for name, module in files_of_heads.items()
        for reader in getattr(module, "READERS", ())
    }
    assert read == {name: METHODS[name].family for name in read}
    # No other file of the folder has readers.
    assert set(read) == set(asa_viz.networks.zoo.methods.READERS)


def test_tests_are_named_after_the_files_that_they_test():
    assert files("attention/zoo") == set(modules(asa_viz.attention))
    for name in files("attention/zoo"):
        cases = import_module(f"tests.attention.zoo.{name}").CASES
        families = {METHODS[case.partition(",")[0]].family for case in cases}
        assert families == {family_of(name)}
    assert files("networks/zoo", "test_") >= set(FAMILIES)
    assert files("networks/zoo", "test_") <= set(modules(asa_viz.networks.zoo))
