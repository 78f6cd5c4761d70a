"""Registers endpoints with Gradio: names, types and descriptions of parameters and results."""

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any, Literal

import gradio as gr
from gradio.events import api
from gradio.utils import get_function_description

from app.api import Endpoints
from app.comparing import Comparisons
from app.mcp_app import AppEndpoints, marked
from app.session_cache import Encode

PARAMETERS = {
    "picture": "An uploaded picture, a data URL of one, or the name of a photograph that ships.",
    "x": "Column of the pixel in the picture, from 0 at the left.",
    "y": "Row of the pixel in the picture, from 0 at the top.",
    "points": "The pixels, up to 64, each [x, y].",
    "network": "Which network looks at the picture.",
    "nonlocal_factor": "Multiplies the learned non-local threshold of every cell; 1 as trained.",
    "local_factor": "Multiplies the learned local threshold of every cell; 1 as trained.",
    "reciprocity": "Whether a chosen key must choose back; true as trained.",
    "local_rule": "Whether strong keys in the window are kept as well; true as trained.",
    "window": "Side of the window in cells, odd, in place of the trained one; null as trained.",
    "top_k": "Choose the k strongest keys, not those over the threshold; null for thresholds.",
    "format": "Kind of the file.",
    "methods": "Names of the designs to ask; null for all.",
}


def add_api(
    encode: Encode,
    networks: Sequence[str],
    comparisons: Comparisons | None = None,
    titles: Mapping[str, str] | None = None,
) -> None:
    """Add the endpoints to the page that is being built; the first network is the default.

    With `titles` of the networks also those of the MCP app.
    """
    endpoints = Endpoints(encode, networks, comparisons)
    answers: list[Callable[..., Any]] = [
        endpoints.networks, endpoints.segmentation, endpoints.attention,
        endpoints.attention_arrays, endpoints.maps, endpoints.reciprocal_neighbours,
        endpoints.attention_picture, endpoints.page,
    ]  # fmt: skip
    if comparisons is not None:
        answers.append(endpoints.compare)
    if titles is not None:
        shown = AppEndpoints(encode, titles, comparisons)
        answers += [shown.packet, shown.viewer]
    for answer in answers:
        _add(marked(_told(answer, networks)) if titles is not None else _told(answer, networks))


def _told(answer: Callable[..., Any], networks: Sequence[str]) -> Callable[..., Any]:
    """Return an endpoint with the signature and docstring that Gradio shows.

    The network becomes an enumeration, and null stands for a parameter's default.
    """
    asked = signature(answer)
    parameters = [
        each.replace(annotation=Literal[tuple(networks)], default=networks[0])
        if each.name == "network"
        else each
        for each in asked.parameters.values()
    ]
    # Python allows no parameter without a default after one with a default.
    parameters.sort(key=lambda each: each.default is not Parameter.empty)
    defaults = {each.name: each.default for each in parameters}

    def endpoint(*given: Any) -> Any:
        values = dict(zip(defaults, given, strict=True))
        for name, default in defaults.items():
            if values[name] is None and default is not Parameter.empty:
                values[name] = default
        return answer(**values)

    about, _, returns = (answer.__doc__ or "").partition("Returns:")
    lines = [f"    {each.name}: {PARAMETERS[each.name]}" for each in parameters]
    endpoint.__name__ = answer.__name__
    endpoint.__doc__ = "\n".join([about.strip(), "", "Args:", *lines, "", "Returns:", returns])
    endpoint.__annotations__ = {each.name: each.annotation for each in parameters}
    endpoint.__signature__ = asked.replace(parameters=parameters)  # type: ignore[attr-defined]
    return endpoint


def _add(endpoint: Callable[..., Any]) -> None:
    """Register an endpoint, with names and descriptions of its parameters and results."""
    # Hosts fetch the viewer at once: it waits for no picture.
    line = "viewer" if endpoint.__name__ == "viewer" else "api"
    api(endpoint, api_name=endpoint.__name__, concurrency_id=line, concurrency_limit=1)
    page = gr.context.Context.root_block
    if page is None:
        raise RuntimeError("Endpoints are added while a page is built.")
    added = list(page.fns.values())[-1]
    _, parameters, returns = get_function_description(endpoint)
    for component, (name, text) in zip(added.inputs, parameters.items(), strict=True):
        _describe(component, name, {"additional_description": text})
    told = [line.partition(":") for line in returns]
    for component, (name, _, text) in zip(added.outputs, told, strict=True):
        _describe(component, name.strip(), {"description": text.strip()})


def _describe(component: Any, name: str, words: dict[str, str]) -> None:
    component.label = name
    component._api_info = {**component._api_info, **words}
