"""Weights that are learned for places: as they are on the training grid, between them elsewhere."""

import torch

from asa_viz.networks.zoo.methods import READERS
from asa_viz.networks.zoo.predicted_synthesizer import SIDE
from tests.networks.zoo.small import features, head_of, run


def test_on_the_training_grid_the_places_are_those_that_were_learned():
    dense, random = (head_of(f"synthesizer_{kind}").block for kind in ("dense", "random"))
    weight, bias = dense.last_layer(SIDE, SIDE)
    torch.testing.assert_close(weight.flatten(1).mT, dense.predict.weight[:, :, 0, 0])
    torch.testing.assert_close(bias.flatten(), dense.predict.bias)
    left, right = random.factors(SIDE, SIDE)
    torch.testing.assert_close(left.flatten(1).mT, random.left)
    torch.testing.assert_close(right.flatten(1).mT, random.right)


def test_logits_on_the_training_grid_are_those_of_the_last_layer():
    record = READERS["synthesizer_dense"]
    head = head_of("synthesizer_dense")
    seen = run(head, record.watch, features(SIDE, SIDE))
    (x,) = seen["block"][0].inputs
    with torch.no_grad():
        (attention,) = record.read(head, seen).attentions
        rows = head.block.predict(head.block.hidden(x))[0].flatten(1).mT.softmax(-1)
    torch.testing.assert_close(attention.weights(slice(0, 40)), rows[:40])


def test_a_map_of_half_the_size_reads_the_mean_of_each_four_places():
    block = head_of("synthesizer_random").block
    (_, right), (_, half) = block.factors(SIDE, SIDE), block.factors(SIDE // 2, SIDE // 2)
    torch.testing.assert_close(half, torch.nn.functional.avg_pool2d(right, 2))


def test_only_the_dense_one_looks_at_the_image():
    for kind, same in (("dense", False), ("random", True)):
        record = READERS[f"synthesizer_{kind}"]
        head = head_of(record.head)
        rows = []
        for brightness in (1, 2):
            inputs = [brightness * stage for stage in features(6, 7)]
            with torch.no_grad():
                reading = record.read(head, run(head, record.watch, inputs))
            rows.append(reading.attentions[0].weights(slice(0, 42)))
        assert torch.equal(*rows) is same
