"""A session's labels are, pixel for pixel, those of mmsegmentation's own inference."""

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from asa_viz.images import ImageError
from asa_viz.networks.segmenter import load
from tests.networks.small import save_small


def image_of(height, width, seed=0):
    """A picture of smooth colours: every channel another, so that none can stand for another."""
    random = np.random.default_rng(seed)
    small = torch.from_numpy(random.uniform(0, 255, (1, 3, 8, 12)))
    large = torch.nn.functional.interpolate(small, (height, width), mode="bilinear")
    return large[0].permute(1, 2, 0).numpy().astype(np.uint8)


def mmsegmentations(network, rgb):
    """Return the labels of `predict`, on what the data preprocessor makes of a file read as BGR."""
    bgr = torch.from_numpy(rgb[..., ::-1].copy()).permute(2, 0, 1)
    shape = rgb.shape[:2]
    sample = SegDataSample(
        metainfo={"ori_shape": shape, "img_shape": shape, "pad_shape": shape},
        gt_sem_seg=PixelData(data=torch.zeros(1, *shape)),
    )
    data = network.data_preprocessor({"inputs": [bgr], "data_samples": [sample]}, False)
    network.test_cfg = ConfigDict(mode="whole")
    with torch.no_grad():
        (found,) = network.predict(data["inputs"], data["data_samples"])
    return found.pred_sem_seg.data[0].numpy()


@pytest.mark.parametrize("head", ["ASAHead", "NonLocalHead", "NLHead"])
@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("align_corners", [True, False])
def test_labels_are_mmsegmentations(tmp_path, head, turned, align_corners):
    settings = {"align_corners": align_corners}
    if head != "NLHead":
        settings["read_only"] = True
    path, _ = save_small(tmp_path, head, turned=turned, **settings)
    segmenter = load(path, "cpu")
    # The block's last layer starts at zero.
    torch.nn.init.ones_(segmenter._block.conv_out.bn.weight)
    rgb = image_of(64, 96)
    network = segmenter._network
    with torch.no_grad():
        # So that no class is everywhere the largest.
        network.decode_head.conv_seg.bias -= network(segmenter._pixels(rgb)).mean((0, 2, 3))
    session = segmenter.encode(rgb)
    expected = mmsegmentations(network, rgb)
    assert len(np.unique(expected)) > 1
    assert np.array_equal(session.segmentation.working_labels, expected)


@pytest.mark.parametrize("head", ["ASAHead", "NonLocalHead"])
def test_a_sessions_tensors_can_be_used_with_autograd(tmp_path, head):
    session = load(save_small(tmp_path, head, read_only=True)[0], "cpu").encode(image_of(64, 96))
    attention = session.attention
    tensors = (attention.query, attention.key, attention.nonlocal_scale, attention.log_normaliser)
    for tensor in (*tensors, session.own_value_logits, session.readout.values, *session.features):
        weight = torch.ones_like(tensor, requires_grad=True)
        # Saved for the gradient, which a tensor made in inference mode cannot be.
        (weight * tensor).sum().backward()
        assert torch.equal(weight.grad, tensor)


@pytest.mark.parametrize("head", ["ASAHead", "NonLocalHead", "NLHead"])
def test_no_projection_of_the_block_is_computed_twice(tmp_path, head):
    segmenter = load(save_small(tmp_path, head)[0], "cpu")
    block, counts = segmenter._block, dict.fromkeys(("theta", "phi", "g"), 0)
    for name in counts:

        def count(*_, name=name):
            counts[name] += 1

        getattr(block, name).register_forward_hook(count)
    segmenter.encode(image_of(64, 96))
    assert counts == {"theta": 1, "phi": 1, "g": 1}


@pytest.mark.parametrize("head", ["ASAHead", "NLHead"])
def test_a_batch_gives_the_sessions_of_its_pictures_in_order(tmp_path, head):
    segmenter = load(save_small(tmp_path, head)[0], "cpu")
    runs = []
    segmenter._network.backbone.register_forward_hook(lambda *seen: runs.append(len(seen[1][0])))
    # Of two shapes that the network works in, and more of one than go through it together.
    pictures = [image_of(64, 96, i) for i in range(3)] + [image_of(96, 64, 9), image_of(64, 96, 7)]
    sessions = segmenter.encode_batch(pictures, batch=3)
    assert sorted(runs) == [1, 1, 3]
    for picture, session in zip(pictures, sessions, strict=True):
        alone = segmenter.encode(picture)
        assert session.grid == alone.grid
        torch.testing.assert_close(session.attention.query, alone.attention.query)
        torch.testing.assert_close(session.attention.log_normaliser, alone.attention.log_normaliser)
        ours, own = session.segmentation.labels, alone.segmentation.labels
        assert (ours != own).mean() < 0.001
        assert np.array_equal(session.picture, alone.picture)
    with pytest.raises(ImageError, match="not a picture"):
        segmenter.encode_batch([pictures[0], b"<html>"])
    assert segmenter.encode_batch([]) == []
