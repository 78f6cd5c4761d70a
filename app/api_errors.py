"""Turns errors of endpoints into sentences for programs."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from app.server.blocks import FAILED, FULL
from app.server.errors import is_disk_full, report

GONE = "That picture is no longer here. Send it again."


@contextmanager
def error_sentences() -> Iterator[None]:
    """Raise `gr.Error` with one sentence where a request is wrong: Gradio passes that on."""
    try:
        yield
    except ValueError as refusal:
        raise gr.Error(str(refusal), print_exception=False) from refusal
    except OSError as error:
        raise gr.Error(FULL if is_disk_full(error) else GONE, print_exception=False) from error
    except Exception as error:
        raise gr.Error(FAILED.format(code=report(error)), print_exception=False) from error
