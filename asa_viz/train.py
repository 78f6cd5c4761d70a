"""Train a network on mmengine's Runner: `python -m asa_viz.train CONFIG --data ROOT`.

CONFIG is the name of a config in `asa_viz/networks/configs` or the path of one. The initial weights
come from the file given with `--init`, or with `--init-backbone` where that file's head is of
another kind and must start untrained; nothing is downloaded.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config, DictAction
from mmengine.model import revert_sync_batchnorm
from mmengine.runner import Runner, find_latest_checkpoint

from asa_viz.networks.configs import read_config
from asa_viz.networks.datasets import facts_of_type
from asa_viz.networks.pictures import DataError, check_labels, labelled
from asa_viz.networks.weights import (
    BACKBONE_SCHEME,
    INIT_SCHEME,
    WeightsError,
    load_weights,
    read_backbone,
    read_weights,
)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.train", description=__doc__)
    parser.add_argument("config", help="name or path of a config")
    parser.add_argument("--data", required=True, help="root folder of the data set")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--init", help="weights to start from: ImageNet, zoo, or an earlier stage")
    start.add_argument("--init-backbone", help="weights of which the backbone alone is taken")
    parser.add_argument("--teacher", help="weights of a network to learn from as well, if wanted")
    parser.add_argument("--work-dir", help="logs and checkpoints; work_dirs/CONFIG by default")
    parser.add_argument("--resume", action="store_true", help="go on from the work dir's latest")
    parser.add_argument("--amp", action="store_true", help="mixed precision")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none",
        help="pytorch under torchrun",
    )  # fmt: skip
    parser.add_argument(
        "--cfg-options", nargs="+", action=DictAction, help="settings to change: key=value ..."
    )
    # Older versions of torchrun pass the rank as an argument.
    parser.add_argument("--local-rank", "--local_rank", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def runner_config(arguments: argparse.Namespace) -> Config:
    """Return the config with the command line's settings."""
    config = read_config(arguments.config)
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        config[name].dataset.data_root = arguments.data
    config.work_dir = arguments.work_dir or str(Path("work_dirs", Path(arguments.config).stem))
    config.launcher = arguments.launcher
    config.randomness = {"seed": arguments.seed}
    # With an empty work dir mmengine would resume from `load_from`, so only one of the two is set.
    config.resume = arguments.resume and find_latest_checkpoint(config.work_dir) is not None
    start = arguments.init or arguments.init_backbone
    if start and not config.resume:
        scheme = INIT_SCHEME if arguments.init else BACKBONE_SCHEME
        config.load_from = f"{scheme}{Path(start).resolve()}"
    if arguments.teacher:
        config.model.teacher = str(Path(arguments.teacher).resolve())
    if arguments.amp:
        config.optim_wrapper.type = "AmpOptimWrapper"
        config.optim_wrapper.loss_scale = "dynamic"
    if arguments.cfg_options:
        config.merge_from_dict(arguments.cfg_options)
    return config


def check_data(config: Config) -> None:
    """Check that the pictures and labels of one of this project's data sets exist and are valid.

    Raises:
        DataError: some are missing or are not labels; the message says what was expected.
    """
    for name in ("train_dataloader", "val_dataloader"):
        dataset = config[name].dataset
        if facts_of_type(dataset.type) is not None:
            folders = (
                Path(dataset.data_root, dataset.data_prefix[kind])
                for kind in ("img_path", "seg_map_path")
            )
            check_labels(labels for _, labels in labelled(*folders))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train a network; the checkpoints in the work dir hold the averaged weights."""
    parsed = parse_arguments(arguments)
    os.environ.setdefault("LOCAL_RANK", str(parsed.local_rank))
    if not Path(parsed.data).is_dir():
        raise SystemExit(f"There is no data folder at {parsed.data}.")
    if parsed.amp and not torch.cuda.is_available():
        raise SystemExit("Mixed precision needs a GPU, and there is none here; leave out --amp.")
    if parsed.launcher != "none" and not torch.cuda.is_available():
        raise SystemExit(
            "Several processes need a GPU each, and there is none: leave out --launcher."
        )
    try:
        config = runner_config(parsed)
        check_data(config)
        runner = Runner.from_cfg(config)
    except (FileNotFoundError, WeightsError, DataError) as error:
        raise SystemExit(str(error)) from error
    if parsed.launcher == "none":
        # Synchronised batch norm needs several processes, and does not run on a CPU.
        runner.model = revert_sync_batchnorm(runner.model)
    if start := parsed.init or parsed.init_backbone:
        # The runner loads the file after it has initialised the network; this only checks that it
        # fits.
        try:
            read = read_weights if parsed.init else read_backbone
            missing = load_weights(runner.model, read(start))
        except WeightsError as error:
            raise SystemExit(str(error)) from error
        runner.logger.info(f"Not in {start}, trained from scratch: {missing}")
    runner.train()


if __name__ == "__main__":
    main()
