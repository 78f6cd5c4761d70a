"""The list of deliberate faults fits the files; `make mutants` runs it."""

import pytest

from tests.mutants.__main__ import ROOT, mutated
from tests.mutants.faults import FAULTS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_changes_one_place_of_its_file(fault):
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    assert mutated(fault, text) != text
    for path in fault.tests.partition(" -k ")[0].split():
        assert (ROOT / path).exists()


def test_every_fault_has_a_name_of_its_own():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
