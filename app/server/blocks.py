"""Gradio's Blocks with an error sentence for every failure."""

from typing import Any

import gradio as gr
from gradio.components.api_component import Api

from app.server.errors import is_disk_full, report

MISFIT = "The question does not fit this endpoint. /gradio_api/info says what it takes."
FULL = "The server's disk is full. The photographs that ship still work."
FAILED = "Something went wrong on the server (code {code}). Try again."


class Page(gr.Blocks):
    """Blocks that answer programs with a sentence where Gradio answers null."""

    async def process_api(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Process an event as Gradio does.

        Raises:
            gr.Error: processing failed; the text says why.
        """
        try:
            if "inputs" in kwargs:
                kwargs["inputs"] = self._filled(kwargs["block_fn"], kwargs["inputs"])
            return await super().process_api(*args, **kwargs)
        except gr.Error:
            raise
        # Gradio preprocesses the inputs before it calls the endpoint, files included, whose names
        # may be too long for the file system.
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OSError) as error:
            if is_disk_full(error):
                raise gr.Error(FULL, print_exception=False) from error
            raise gr.Error(MISFIT, print_exception=False) from error
        except Exception as error:
            sentence = FAILED.format(code=report(error))
            raise gr.Error(sentence, print_exception=False) from error

    def _filled(self, asked: Any, given: Any) -> Any:
        """Return the inputs of an endpoint, with defaults in place of those left out."""
        function = self.fns[asked] if isinstance(asked, int) else asked
        left_out = function.inputs[len(given) :]
        if not isinstance(given, list) or not all(isinstance(each, Api) for each in left_out):
            return given
        return [*given, *(getattr(each, "value", None) for each in left_out)]
