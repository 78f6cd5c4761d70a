"""Forward passes of an mmsegmentation network, recorded or with other attention rows."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from typing_extensions import override

from asa_viz.attention.base import Attention
from asa_viz.attention.row import SparseAttention
from asa_viz.attention.what_if import WhatIf
from asa_viz.networks.capture import Call, Seen, calls_of
from asa_viz.networks.zoo.record import HeadMethod, Reading

# Preprocesses an image into a batch of one, in the format of mmsegmentation's data loaders.
Prepare = Callable[[UInt8[np.ndarray, "height width 3"]], dict[str, Any]]


class Pass(NamedTuple):
    """The backbone's features and the labels from one pass."""

    features: Any
    labels: UInt8[np.ndarray, "height width"]


class Passes:
    """Runs one network; the caller holds a lock, because hooks act on the network.

    A method's submodules are found under the `prefix` of its head, or as `aliases` say.
    """

    def __init__(self, network: Any, name: str, prepare: Prepare) -> None:
        self._network = network
        self._name = name
        self._prepare = prepare
        heads = network.decode_head
        cascade = isinstance(heads, nn.ModuleList)
        self._prefix = f"decode_head.{len(heads) - 1}" if cascade else "decode_head"
        # In a cascade, the coarse logits are the output of the first head's classifier.
        self._aliases = {"prior": "decode_head.0.conv_seg"} if cascade else {}

    @property
    def head(self) -> Any:
        """The head whose attention is read; in a cascade the last one."""
        return self._network.get_submodule(self._prefix)

    def run(
        self,
        rgb: UInt8[np.ndarray, "height width 3"],
        changed: Any = None,
        features: Any = None,
    ) -> Pass:
        """Run the network while `changed`, one of the contexts below, holds.

        Of features that are there already the head alone is run.
        """
        kept: list[Any] = [] if features is None else [features]
        with ExitStack() as stack:
            stack.enter_context(_features(self._network, kept))
            stack.enter_context(changed or nullcontext())
            labels = self._labels(self._network.data_preprocessor(self._prepare(rgb), False))
        return Pass(kept[0], labels)

    @contextmanager
    def watched(self, *methods: HeadMethod) -> Iterator[Seen]:
        """Collect the calls of what methods watch, by their paths; `of` gives those of one."""
        parts = {self._path(part) for method in methods for part in method.watch}
        with calls_of(self._network, parts) as seen:
            yield seen

    def of(self, method: HeadMethod, seen: Seen) -> dict[str, list[Call]]:
        """Return the calls of what a method watches, by the names that it goes by."""
        return {part: seen[self._path(part)] for part in method.watch}

    @contextmanager
    def under(self, method: HeadMethod, rows: Attention) -> Iterator[None]:
        """Let the block of a method read by other rows.

        Raises:
            ValueError: the method's rows are computed in several steps.
        """
        if method.replaces is None:
            raise ValueError(
                f"The head of {self._name} cannot be run under other rows: it computes its rows in "
                "several steps."
            )
        with self.watched(method) as seen:

            def replaced(*_: Any) -> Tensor:
                calls = self.of(method, seen)
                parts = len(method.read(self.head, calls).attentions)
                return method.rebuilt(self.head, calls, Reading((rows,) * parts))[0]

            with self._leaving({method.replaces: replaced}):
                yield

    @contextmanager
    def alone(self, method: HeadMethod) -> Iterator[None]:
        """Let every cell read itself alone, in each step of a method that says how."""
        if method.alone is None:
            raise ValueError(f"It is not known what {method.method.name} does without attention.")
        with self.watched(method) as seen:
            parts = method.alone(self.head)

            def replaced(part: str, _: nn.Module, inputs: tuple[Tensor, ...], __: Any) -> Any:
                return parts[part](self.of(method, seen), inputs)

            with self._leaving({part: partial(replaced, part) for part in parts}):
                yield

    @contextmanager
    def _leaving(self, outputs: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
        """Let other outputs leave parts of the head."""
        # Hooks run in the order of their registration: calls are seen already.
        handles = [
            self._network.get_submodule(self._path(part)).register_forward_hook(output)
            for part, output in outputs.items()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _path(self, part: str) -> str:
        """Return the path of a part from the network's root; parts of a backbone have theirs."""
        if part.startswith("backbone."):
            return part
        return self._aliases.get(part, f"{self._prefix}.{part}")

    def _labels(self, batch: dict[str, Any]) -> UInt8[np.ndarray, "height width"]:
        with warnings.catch_warnings():
            # Advice on the size of pictures, to who chooses it.
            warnings.filterwarnings("ignore", message="When align_corners=True")
            (found,) = self._network.predict(batch["inputs"], batch["data_samples"])
        return found.pred_sem_seg.data[0].to(torch.uint8).cpu().numpy()


@dataclass(frozen=True, eq=False)
class Mixing(Attention):
    """Softmax attention under a what-if, as an attention of maps."""

    attention: SparseAttention
    what_if: WhatIf

    @property
    @override
    def like(self) -> Tensor:
        return self.attention.key

    @override
    def mix(self, values: Tensor) -> Tensor:
        read = self.attention.mix(values.flatten(1).mT.cpu(), self.what_if)
        return read.mT.unflatten(1, self.shape).to(values)


@contextmanager
def _features(network: Any, kept: list[Any]) -> Iterator[None]:
    """Keep the features of a pass, or let a pass have those that are kept."""
    extract = network.extract_feat

    def features(inputs: Tensor) -> Any:
        if not kept:
            kept.append(extract(inputs))
        return kept[0]

    network.extract_feat = features
    try:
        yield
    finally:
        del network.extract_feat
