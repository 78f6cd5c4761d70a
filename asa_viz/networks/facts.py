"""Reads classes, colours and sizes of an mmsegmentation network from its config and checkpoint.

What neither file contains is None or, for the names of classes, a number.
"""

import colorsys
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from asa_viz.networks.datasets import DataSet, facts_of_type
from asa_viz.networks.weights import WeightsError

Colour = tuple[int, int, int]
Shape = tuple[int, int]

MOST_CLASSES = 256


@dataclass(frozen=True)
class Facts:
    """What config and checkpoint say of a network's data.

    `classes` and `palette` are None where neither config nor checkpoint names as many as the head
    has. `shapes` are (height, width), upright and lying; empty where nothing says at which size the
    network works. `known` are the facts of a data set of this project.
    """

    data_set: str | None
    classes: tuple[str, ...] | None
    palette: tuple[Colour, ...] | None
    shapes: tuple[Shape, ...]
    reduce_zero_label: bool
    known: DataSet | None


def read_facts(config: Config, meta: Mapping[str, Any], num_classes: int) -> Facts:
    """Return the facts that the config and the checkpoint's `meta` contain for so many classes."""
    datasets = list(_datasets(config))
    kinds = [str(dataset.get("type", "")).removeprefix("mmseg.") for dataset in datasets]
    known = next((facts for kind in kinds if (facts := facts_of_type(kind))), None)
    classes, palette = None, None
    for told in _told(meta, datasets, kinds):
        names: Any = told.get("classes") or told.get("CLASSES")
        colours: Any = told.get("palette") or told.get("PALETTE")
        if classes is None and _count(names) == num_classes:
            classes = tuple(map(str, names))
        if palette is None and _count(colours) == num_classes:
            palette = _palette(colours)
    if known is not None and len(known.classes) == num_classes:
        classes, palette = known.classes, known.palette
    return Facts(
        data_set=known.name if known else (kinds[0] if kinds else None),
        classes=classes,
        palette=palette,
        shapes=known.shapes if known else _shapes(config),
        reduce_zero_label=_reduces(datasets, kinds),
        known=known,
    )


def numbered(count: int) -> tuple[str, ...]:
    """Return numbered names for classes without names.

    >>> numbered(2)
    ('class 0', 'class 1')
    """
    return tuple(f"class {index}" for index in range(count))


def told_apart(count: int) -> tuple[Colour, ...]:
    """Return as many distinct colours, for classes without colours."""
    shades = (colorsys.hsv_to_rgb(i * 0.618034 % 1, 0.9 - i % 3 / 4, 0.95) for i in range(count))
    return tuple((round(255 * r), round(255 * g), round(255 * b)) for r, g, b in shades)


def classes_of(facts: Facts, count: int) -> tuple[tuple[str, ...], tuple[Colour, ...]]:
    """Return names and colours of all classes, generated where the facts have none.

    Raises:
        WeightsError: there are more classes than a map of labels can hold.
    """
    if not 1 <= count <= MOST_CLASSES:
        raise WeightsError(f"The network has {count} classes; at most {MOST_CLASSES} can be shown.")
    return facts.classes or numbered(count), facts.palette or told_apart(count)


def _datasets(config: Config) -> Iterator[Mapping[str, Any]]:
    """Yield the data sets of a config, those wrapped in others unwrapped."""
    waiting = [
        config[name].get("dataset")
        for name in ("test_dataloader", "val_dataloader", "train_dataloader")
        if isinstance(config.get(name), Mapping)
    ]
    while waiting:
        dataset = waiting.pop(0)
        if isinstance(dataset, Sequence) and not isinstance(dataset, str):
            waiting[:0] = dataset
        elif isinstance(dataset, Mapping):
            inner = dataset.get("dataset") or dataset.get("datasets")
            if inner:
                waiting.insert(0, inner)
            else:
                yield dataset


def _told(
    meta: Mapping[str, Any], datasets: Sequence[Mapping[str, Any]], kinds: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    """Yield what names classes, the checkpoint first."""
    if isinstance(meta.get("dataset_meta"), Mapping):
        yield meta["dataset_meta"]
    yield meta
    for dataset in datasets:
        if isinstance(dataset.get("metainfo"), Mapping):
            yield dataset["metainfo"]
    for kind in kinds:
        yield getattr(DATASETS.get(kind), "METAINFO", {})


def _count(items: Any) -> int:
    return len(items) if isinstance(items, list | tuple) else 0


def _palette(colours: Sequence[Any]) -> tuple[Colour, ...] | None:
    try:
        return tuple((int(r), int(g), int(b)) for r, g, b in colours)
    except (TypeError, ValueError):
        return None


def _shapes(config: Config) -> tuple[Shape, ...]:
    """Return the test size of pictures, or else the size of a training crop."""
    for step in config.get("test_pipeline") or ():
        if step.get("type") == "Resize" and _count(step.get("scale")) == 2:
            width, height = step["scale"]
            return _both_ways(height, width)
    preprocessor = config.model.get("data_preprocessor") or {}
    crop: Any = config.get("crop_size") or preprocessor.get("size")
    if _count(crop) == 2:
        return _both_ways(crop[0], crop[1])
    return ()


def _both_ways(height: int, width: int) -> tuple[Shape, ...]:
    shapes = ((int(height), int(width)), (int(width), int(height)))
    return shapes[:1] if height == width else shapes


def _reduces(datasets: Sequence[Mapping[str, Any]], kinds: Sequence[str]) -> bool:
    """Return whether label 0 means "no class" and all others are shifted by one."""
    for dataset, kind in zip(datasets, kinds, strict=True):
        if "reduce_zero_label" in dataset:
            return bool(dataset["reduce_zero_label"])
        for step in dataset.get("pipeline") or ():
            if isinstance(step, Mapping) and step.get("reduce_zero_label") is not None:
                return bool(step["reduce_zero_label"])
        default = inspect.signature(DATASETS.get(kind) or BaseSegDataset).parameters.get(
            "reduce_zero_label"
        )
        if default is not None:
            return bool(default.default)
    return False
