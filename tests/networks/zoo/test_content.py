"""Displaced samples, on cases small enough to say what is true."""

import torch
import torch.nn.functional as F

from asa_viz.networks.zoo.content import Message


def silent(channels: int, rate: int) -> Message:
    """Return messages that displace nothing and weigh all nine samples alike, by a half."""
    message = Message(channels, rate)
    message.layer.weight.data.zero_()
    return message


def test_where_nothing_is_predicted_a_message_is_half_the_mean_of_nine_cells():
    x = torch.randn(2, 3, 7, 6)
    kernel = torch.full((3, 1, 3, 3), 0.5 / 9)
    for rate in (1, 2, 4):
        expected = F.conv2d(x, kernel, padding=rate, dilation=rate, groups=3)
        torch.testing.assert_close(silent(3, rate)(x), expected)


def test_offsets_move_the_samples_down_and_to_the_right():
    x = torch.randn(1, 2, 5, 6)
    x[:, 0] = 1
    message = silent(2, 1)
    centre, down, right = 4, 9 + 2 * 4, 9 + 2 * 4 + 1
    message.layer.weight.data[centre, 0, 1, 1] = 100
    message.layer.weight.data[down, 0, 1, 1] = 2
    message.layer.weight.data[right, 0, 1, 1] = 0.5
    # Two cells down; halfway to the next one on the right; nothing off the map.
    wide = F.pad(x, (0, 1, 0, 2))[..., 2:, :]
    expected = (wide[..., :-1] + wide[..., 1:]) / 4
    torch.testing.assert_close(message(x), expected)
