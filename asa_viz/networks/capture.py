"""What enters a block while its network runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def input_of(block: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what enters `block` while the network runs; the hook never outlives the `with`.

    The hook belongs to the shared network: hold a lock around it where several threads run it.
    """
    seen: list[Tensor] = []
    handle = block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    try:
        yield seen
    finally:
        handle.remove()
