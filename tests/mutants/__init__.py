"""Deliberate faults, one at a time, each with the tests that must turn red: `make mutants`."""
