"""ASA without one of its parts: the rows shown are still those of the network."""

import pytest
import torch

from asa_viz.networks.zoo.adaptive import ABLATIONS, largest, record
from tests.networks.zoo.small import features, head_of, run


@pytest.mark.parametrize("name", ABLATIONS)
def test_rows_rebuild_what_the_head_computed(name: str):
    asked = record(name)
    head = head_of(name)
    seen = run(head, asked.watch, features(9, 13))
    with torch.no_grad():
        reading = asked.read(head, seen)
        ours, network = asked.rebuilt(head, seen, reading)
    torch.testing.assert_close(ours, network, rtol=1e-4, atol=1e-5)


def support(name: str) -> torch.Tensor:
    head = head_of(name)
    with torch.no_grad():
        inputs = features(9, 13)
        return head.nl_block.attend(head.convs[0](inputs[0])).support_size[0]


def test_top_k_keeps_the_same_number_everywhere():
    assert support("asa_top_k").unique().tolist() == [largest(9 * 13)]


def test_local_only_stays_in_the_window():
    assert support("asa_local_only").max() <= 9


def test_without_reciprocity_nothing_is_lost():
    # Both heads are drawn alike, so that their scales and affinities are the same.
    assert (support("asa_one_sided") >= support("asa")).all()
    assert (support("asa_one_sided") > support("asa")).any()


def test_the_rules_alone_keep_no_more_than_both():
    both = support("asa")
    assert (support("asa_nonlocal_only") <= both.clamp_min(1)).all()
