"""Object context, SAGAN and several heads, on cases small enough to say what is true."""

import pytest
import torch

from asa_viz.networks.zoo.dense_blocks import attend
from asa_viz.networks.zoo.methods import READERS
from tests.networks.zoo.small import features, head_of, run


@pytest.mark.parametrize(("width", "values"), [(6, 6), (4, 10), (8, 2)])
@pytest.mark.parametrize(("heads", "scale"), [(1, None), (2, None), (2, 0.7)])
def test_attend_is_softmax_attention_of_every_head(width, values, heads, scale):
    torch.manual_seed(0)
    query, key = (torch.randn(2, width, 3, 4) for _ in range(2))
    value = torch.randn(2, values, 3, 4)
    mixed = attend(query, key, value, heads=heads, scale=scale)
    for image in range(2):
        parts = (t[image].flatten(1).chunk(heads) for t in (query, key, value))
        for head, (q, k, v) in enumerate(zip(*parts, strict=True)):
            weights = (q.mT @ k * (scale or len(q) ** -0.5)).softmax(-1)
            expected = (v @ weights.mT).view(-1, 3, 4)
            torch.testing.assert_close(mixed[image].chunk(heads)[head], expected)


@pytest.mark.parametrize("name", ["ocnet_base", "ocnet_asp", "sagan", "multi_head"])
def test_a_wide_head_is_rebuilt_in_double_precision(name):
    record = READERS[name]
    head = head_of(name, width=32).double()
    seen = run(head, record.watch, [stage.double() for stage in features(7, 10)])
    with torch.no_grad():
        reading = record.read(head, seen)
        ours, network = record.rebuilt(head, seen, reading)
    torch.testing.assert_close(ours, network)
    assert len(reading.attentions) == (8 if name == "multi_head" else 1)


def test_without_its_gain_sagan_changes_nothing():
    block = head_of("sagan").block
    x = torch.randn(1, 8, 5, 6)
    with torch.no_grad():
        assert not torch.equal(block(x), x)
        block.gamma.zero_()
        assert torch.equal(block(x), x)
