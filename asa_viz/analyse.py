"""Measure the attention of many pictures: `python -m asa_viz.analyse FOLDER --out table.csv`.

One row for each picture, no labels needed: see `measures`. While a run lasts, its rows are kept in
a file beside the table, so that `--resume` continues an interrupted run. The table does not depend
on the order of the work or on its division by `--shard`; with another number of threads sums may
differ in their last bits.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.utils import ProgressBar

from asa_viz.attention.blockwise import blocks
from asa_viz.images import SUFFIXES, ImageError
from asa_viz.networks.external import add_arguments, asked
from asa_viz.networks.pictures import DataError
from asa_viz.networks.segmenter import Segmenter
from asa_viz.networks.weights import WeightsError
from asa_viz.session import Session
from asa_viz.views import flips

Row = dict[str, str | float | None]
# Ray hands out pictures in this many parts: with fewer, workers are idle at the end.
BLOCKS_PER_WORKER = 16


def measures(session: Session) -> dict[str, float | None]:
    """Return figures on the attention of one picture, means over its n cells.

    `support` is the share of the cells that a row keeps, `kept_mass` the share of its dense mass on
    them, `entropy` the entropy of its weights in nats. `in_degree_std` is the standard deviation of
    the in-degree. The scales are the thresholds. `changed_without_attention` is the share of the
    pixels that change class when every cell reads its own value alone, None where the head cannot
    be run so. `own_class` is the share of the weights on cells of the query's predicted class;
    `own_class:NAME` is that of the queries of one class, None where the class does not occur.
    """
    whole, n = session.whole_image(), session.grid.size
    labels = torch.from_numpy(session.segmentation.cell_labels.ravel().astype(np.int64))
    own, entropy = [], []
    for block in blocks(n):
        weights = session.attention.weights(block).abs()
        weights = weights / weights.sum(-1, keepdim=True)
        own.append((weights * (labels[block, None] == labels)).sum(-1))
        entropy.append(torch.special.entr(weights).sum(-1))
    shares = torch.cat(own).double()
    nonlocal_scale, local_scale = (float(scale.mean()) for scale in session.scales)
    try:
        changed = flips(session.segmentation, session.without_attention).share
    except ValueError:
        changed = None
    found: dict[str, float | None] = {
        "cells": n,
        "support": float(whole.support_size.mean() / n),
        "kept_mass": float(whole.kept_mass.mean()),
        "in_degree_std": float(whole.in_degree.std()),
        "entropy": float(torch.cat(entropy).double().mean()),
        "nonlocal_scale": nonlocal_scale,
        "local_scale": local_scale,
        "changed_without_attention": changed,
        "own_class": float(shares.mean()),
    }
    for index, name in enumerate(session.segmentation.classes):
        of_class = shares[labels == index]
        found[f"own_class:{name}"] = float(of_class.mean()) if len(of_class) else None
    return found


def pictures_in(folder: Path, shard: tuple[int, int] = (1, 1)) -> list[Path]:
    """List the pictures below a folder, sorted by name; shard (i, n) takes every nth.

    Raises:
        DataError: there are none.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise DataError(f"There are no pictures ({', '.join(SUFFIXES)}) in {folder}.")
    number, count = shard
    return found[number - 1 :: count]


def analyse(segmenter: Segmenter, pictures: Iterable[Path], folder: Path) -> Iterator[Row]:
    """Yield the measures of each picture, under its name in the folder.

    A picture that cannot be used has no figures, and the reason under "error".
    """
    for path in pictures:
        row: Row = {"picture": path.relative_to(folder).as_posix(), "error": None}
        try:
            row |= measures(segmenter.encode(path))
        except (ImageError, OSError) as error:
            row["error"] = str(error)
        yield row


class Worker:
    """One process's network, which measures one picture at a time; Ray Data calls it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._segmenter = asked(arguments, arguments.network)
        self._folder = arguments.folder

    def __call__(self, item: dict[str, str]) -> dict[str, str]:
        """Return the row of a picture as JSON: Ray needs columns of one type, and these differ."""
        (row,) = analyse(self._segmenter, [Path(item["picture"])], self._folder)
        return {"line": json.dumps(row)}


def by_ray(arguments: argparse.Namespace, pictures: Sequence[Path]) -> Iterator[Row]:
    """Yield what `analyse` yields, in any order, from `arguments.workers` Ray processes.

    It runs on the cluster that Ray finds (`RAY_ADDRESS`), or on this machine; the folder must exist
    there under the same path. Each process loads its own network, on a GPU if "cuda" is asked for.

    Raises:
        DataError: Ray is not installed.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise DataError("--engine ray needs Ray: pip install 'asa-viz[ray]'.") from error
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    items = ray.data.from_items(
        [{"picture": str(path.resolve())} for path in pictures],
        override_num_blocks=min(len(pictures), BLOCKS_PER_WORKER * arguments.workers),
    )
    arguments.folder = arguments.folder.resolve()
    worker: Any = Worker
    lines = items.map(
        worker, fn_constructor_args=(arguments,), concurrency=arguments.workers,
        num_gpus=1 if arguments.device == "cuda" else 0,
    )  # fmt: skip
    for item in lines.iter_rows():
        yield json.loads(item["line"])


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write rows as .csv or .parquet, by the path's ending, sorted by name.

    Raises:
        DataError: Parquet is asked for, and pyarrow is not installed.
    """
    rows = sorted(rows, key=lambda row: str(row["picture"]))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        return
    try:
        from pyarrow import Table, parquet
    except ImportError as error:
        raise DataError("Parquet needs pyarrow: pip install 'asa-viz[parquet]'.") from error
    parquet.write_table(
        Table.from_pydict({name: [row.get(name) for row in rows] for name in columns}), path
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the pictures of a folder and write the table."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.analyse", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of pictures; those below it count")
    parser.add_argument("--out", type=Path, required=True, help="table.csv or table.parquet")
    parser.add_argument("--network", help="a name in checkpoints/ or a safetensors file")
    parser.add_argument("--shard", type=_shard, default=(1, 1), help="i/n: the ith of n parts")
    parser.add_argument("--resume", action="store_true", help="go on where a run ended")
    parser.add_argument("--device", choices=["cpu", "cuda"])
    parser.add_argument("--engine", choices=["local", "ray"], default="local", help="what runs it")
    parser.add_argument("--workers", type=int, default=2, help="processes of --engine ray")
    add_arguments(parser)
    parsed = parser.parse_args(arguments)
    try:
        _check_out(parsed.out)
        pictures = pictures_in(parsed.folder, parsed.shard)
        lines = parsed.out.with_name(f"{parsed.out.name}.lines")
        rows = _kept(lines) if parsed.resume else []
        lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        done = {row["picture"] for row in rows}
        left = [path for path in pictures if path.relative_to(parsed.folder).as_posix() not in done]
        progress = ProgressBar(len(left), file=sys.stderr) if left else None
        with lines.open("a", encoding="utf-8") as file:
            for row in _rows(parsed, left):
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
                if progress is not None:
                    progress.update()
        write_table(rows, parsed.out)
        lines.unlink()
    except (WeightsError, DataError) as error:
        raise SystemExit(str(error)) from error


def _rows(arguments: argparse.Namespace, pictures: Sequence[Path]) -> Iterator[Row]:
    """Yield the row of each picture, computed by the chosen engine."""
    if not pictures:
        return iter(())
    if arguments.engine == "ray":
        return by_ray(arguments, pictures)
    return analyse(asked(arguments, arguments.network), pictures, arguments.folder)


def _check_out(path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise DataError(f"The table is .csv or .parquet, not {path.name}.")
    if not path.parent.is_dir():
        raise DataError(f"There is no folder {path.parent} for the table.")


def _kept(lines: Path) -> list[Row]:
    """Return the rows of an interrupted run, without an incomplete last line."""
    if not lines.is_file():
        return []
    whole = lines.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in whole]


def _shard(text: str) -> tuple[int, int]:
    number, count = map(int, text.split("/"))
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError("i/n with i from 1 to n")
    return number, count


if __name__ == "__main__":
    main()
