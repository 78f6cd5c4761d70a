"""The viewer's own tests, which run under Node.js; each of their files is one test here."""

from pathlib import Path

import pytest

from tests.viewer.node import needs_node, node, run

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@needs_node
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_node(file):
    run(file)


def test_a_program_that_fails_is_told_with_what_it_said(tmp_path):
    if node() is None:
        pytest.skip("Node.js is not on the PATH")
    script = tmp_path / "bad.test.mjs"
    script.write_text('import { test } from "node:test";\ntest("t", () => { throw Error("oh"); });')
    with pytest.raises(AssertionError, match="oh"):
        run(script)
