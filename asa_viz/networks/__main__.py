"""Build a network without data and print its size: `python -m asa_viz.networks [CONFIG]`."""

import argparse
from collections.abc import Sequence

import torch

from asa_viz.networks.checkpoint import build
from asa_viz.networks.configs import config_names, read_config
from asa_viz.networks.stock import model_as_data
from asa_viz.networks.weights import WeightsError, load_weights, read_weights


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the names of the configs, or build one, run it once and print its size."""
    parser = argparse.ArgumentParser(prog="python -m asa_viz.networks", description=__doc__)
    parser.add_argument("config", nargs="?", help="name or path of a config; none lists the names")
    parser.add_argument("--init", help="weights to load: ImageNet, zoo, or a checkpoint")
    parsed = parser.parse_args(arguments)
    if parsed.config is None:
        print("\n".join(config_names()))
        return
    try:
        network = build(model_as_data(read_config(parsed.config))).eval()
        if parsed.init:
            missing = load_weights(network, read_weights(parsed.init))
            print(f"not in {parsed.init}: {', '.join(missing) or 'nothing'}")
    except (WeightsError, FileNotFoundError) as error:
        raise SystemExit(str(error)) from error
    with torch.inference_mode():
        logits = network.decode_head(network.extract_feat(torch.zeros(1, 3, 128, 256)))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    head = type(network.decode_head).__name__
    print(f"{parsed.config}: {head}, {parameters:,} parameters")
    print(
        f"an image of 128 x 256 gives {logits.shape[1]} classes on {tuple(logits.shape[-2:])} cells"
    )


if __name__ == "__main__":
    main()
