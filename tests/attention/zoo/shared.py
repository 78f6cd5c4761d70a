"""Attention that all queries share by loops."""

from asa_viz.attention.shared import global_context
from tests.attention.zoo.plain import (
    Case,
    normal,
    softmax,
    vectors,
)


def shared(height, width):
    logits = normal(height, width)
    return Case(
        global_context(logits),
        lambda: [softmax([logit for (logit,) in vectors(logits)])] * (height * width),
    )


CASES = {
    "gcnet": shared,
}
