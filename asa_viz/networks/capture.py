"""Records inputs and outputs of a network's modules during a pass."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor, nn


class Call(NamedTuple):
    """One call of a module: its inputs, its output, and the inputs that were given by name."""

    inputs: tuple[Any, ...]
    output: Any
    named: Mapping[str, Any] = MappingProxyType({})


Seen = Mapping[str, list[Call]]


@contextmanager
def calls_of(module: nn.Module, names: Iterable[str]) -> Iterator[Seen]:
    """Record the calls of the submodules `names` while the `with` block runs, detached.

    The hooks are removed at its end. They act on the shared network: hold a lock where several
    threads run it.
    """
    seen: dict[str, list[Call]] = {name: [] for name in names}

    def note(
        name: str, _: nn.Module, inputs: tuple[Any, ...], named: Mapping[str, Any], output: Any
    ) -> None:
        by_name = {key: _detached(value) for key, value in named.items()}
        seen[name].append(Call(_detached(inputs), _detached(output), by_name))

    handles = [
        module.get_submodule(name).register_forward_hook(partial(note, name), with_kwargs=True)
        for name in seen
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _detached(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(map(_detached, value))
    return value.detach() if isinstance(value, Tensor) else value
