"""Dual attention: the channel matrix as released, by hand."""

import torch

from asa_viz.networks.capture import Call
from asa_viz.networks.zoo.methods import READERS
from tests.networks.zoo.small import head_of


def test_unlike_channels_weigh_most():
    # Products of channels: 1 with themselves, 0 and -1 with the others.
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).view(1, 3, 1, 2)
    seen = {"cam": [Call((x,), x)]}
    matrix = READERS["danet_channel"].read(head_of("danet"), seen).gates["matrix"]
    e = torch.tensor(1.0).exp()
    rows = torch.stack(
        [
            torch.stack([1 / e, torch.tensor(1.0), e]) / (1 / e + 1 + e),
            torch.stack([torch.tensor(1.0), 1 / e, torch.tensor(1.0)]) / (2 + 1 / e),
            torch.stack([e, torch.tensor(1.0), 1 / e]) / (1 / e + 1 + e),
        ]
    )
    torch.testing.assert_close(matrix, rows)
