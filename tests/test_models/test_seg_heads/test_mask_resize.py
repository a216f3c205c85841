"""Masks in parts: the same numbers as all at once, in bounded memory."""
import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from projects.glee.models.seg_heads.glee_fusion_head import GLEEFusionHead
from projects.glee.models.seg_heads.mask_resize import count_pixels, positive_rows, resize_bands, resize_logits
from projects.glee.structures.selected_queries import Segments, SelectedQueries

# mask features, padded input, image in it, original image: smaller, larger, the same, of another shape, as high
SIZES = [((8, 12), (32, 48), (30, 45), (17, 60)), ((8, 12), (32, 48), (30, 45), (91, 130)),
         ((8, 12), (32, 48), (32, 48), (32, 48)), ((12, 8), (48, 32), (41, 32), (41, 32)),
         ((8, 12), (32, 48), (30, 45), (30, 60)), ((32, 12), (32, 48), (30, 45), (17, 60))]


def two_resizes(logits, padded, image, out):
    full = F.interpolate(logits[None], padded, mode='bilinear', align_corners=False)[..., :image[0], :image[1]]
    return F.interpolate(full, out, mode='bilinear', align_corners=False)[0]


def sample_meta(sizes):
    return dict(batch_input_shape=sizes[1], img_shape=sizes[2], ori_shape=sizes[3])


@pytest.mark.parametrize('sizes', SIZES)
@pytest.mark.parametrize('num_rows', [1, 4, 200])
def test_bands_are_the_rows_of_the_whole(sizes, num_rows):
    logits = torch.randn(3, *sizes[0])
    expected = two_resizes(logits, *sizes[1:])
    # the number of threads decides how torch adds up, by a rounding
    torch.testing.assert_close(resize_logits(logits, *sizes[1:]), expected, atol=1e-6, rtol=0)
    bands = list(resize_bands(logits, *sizes[1:], num_rows))
    assert {rows.stop - rows.start for rows, _ in bands[:-1]} <= {num_rows}
    assert torch.equal(torch.cat([torch.arange(len(expected[0]))[rows] for rows, _ in bands]),
                       torch.arange(len(expected[0])))
    assert torch.allclose(torch.cat([band for _, band in bands], 1), expected, atol=1e-5)


@pytest.mark.parametrize('sizes', SIZES)
@pytest.mark.parametrize('chunk_pixels', [1, 10_000, 2**22])
def test_instances_are_those_of_plain_steps(sizes, chunk_pixels):
    logits, index = torch.randn(5, *sizes[0]) * 3, torch.tensor([4, 0, 0, 2, 1, 4, 3])
    full = two_resizes(logits, *sizes[1:])[index]
    masks = full > 0
    quality = (full.sigmoid() * masks).sum((1, 2)) / (masks.sum((1, 2)) + 1e-6)
    head = GLEEFusionHead(chunk_pixels=chunk_pixels)
    selected = SelectedQueries(torch.rand(7), torch.arange(7), torch.rand(7, 4), mask_index=index)
    own = head._predict_single(selected._replace(mask_index=None), logits[index], sample_meta(sizes), rescale=True)
    assert torch.equal(own.masks, masks) and torch.equal(own.labels, selected.labels)
    assert torch.allclose(own.scores, selected.scores * quality, rtol=1e-6)
    found = head._predict_single(selected, logits, sample_meta(sizes), rescale=True)
    order = own.scores.argsort(descending=True)  # detections come best first
    for key in ('masks', 'labels', 'scores', 'bboxes'):
        assert torch.equal(found[key], own[key][order])


def test_a_model_of_boxes_alone_gives_no_masks():
    sizes = SIZES[0]
    selected = SelectedQueries(torch.rand(3), torch.arange(3), torch.rand(3, 4), mask_index=torch.tensor([1, 0, 1]))
    head = GLEEFusionHead(with_masks=False)
    found = head._predict_single(selected, torch.randn(2, *sizes[0]), sample_meta(sizes), rescale=True)
    order = selected.scores.argsort(descending=True)
    assert torch.equal(found.scores, selected.scores[order]) and torch.equal(found.labels, order)
    assert 'masks' not in found
    with pytest.raises(ValueError, match='trained on boxes alone'):
        head.require_masks()


@pytest.mark.parametrize('sizes', SIZES)
def test_rows_without_a_positive_logit_are_left_out(sizes):
    """Every place of a blob of one or two rows: the rows that are left hold all of it, and not many more."""
    for top in range(sizes[0][0]):
        for height in (1, 2):
            logits = torch.full((1, *sizes[0]), -0.01)
            logits[0, top:top + height, 3] = 100.
            expected = two_resizes(logits, *sizes[1:])[0]
            seen = (expected > 0).any(1).nonzero()[:, 0].tolist()
            within = positive_rows(logits, *sizes[1:])
            if seen:
                assert within.start <= seen[0] and seen[-1] < within.stop
                assert within.stop - within.start <= len(seen) + 2 * (3 + 1.5 * sizes[3][0] / sizes[0][0])
            bands = [band for _, band in resize_bands(logits, *sizes[1:], 1000, within)]
            if bands:
                assert torch.allclose(bands[0][0], expected[within], atol=1e-3)
            selected = SelectedQueries(torch.ones(1), torch.zeros(1), torch.rand(1, 4))
            found = GLEEFusionHead(chunk_pixels=16)._predict_single(selected, logits, sample_meta(sizes), rescale=True)
            assert torch.equal(found.masks[0], expected > 0)
    assert positive_rows(torch.full((2, *sizes[0]), -1.), *sizes[1:]) == slice(0, 0)


def test_pixels_are_counted():
    masks = torch.rand(3, 40, 50) > 0.7
    assert count_pixels(masks).tolist() == masks.flatten(1).sum(1).tolist() and count_pixels(masks[:0]).tolist() == []


class LargestTensor(TorchDispatchMode):
    """Remembers the number of bytes of the largest tensor that any operator returns."""
    bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self.bytes = max(self.bytes, leaf.untyped_storage().nbytes())
        return result


def test_no_intermediate_grows_with_queries_or_names():
    """Only the results themselves have the size of the original image."""
    sizes = (8, 12), (32, 48), (30, 45), (200, 300)
    head = GLEEFusionHead(chunk_pixels=10_000, panoptic=dict(score_thr=0.))
    segments = Segments(torch.rand(30, 13), torch.randn(30, *sizes[0]), 6)
    with LargestTensor() as largest:
        head.predict_maps(segments, sample_meta(sizes))
    assert largest.bytes <= 8 * 200 * 300  # the map itself, int64; all masks would be 30 x 4 x 200 x 300
    selected = SelectedQueries(torch.rand(50), torch.arange(50), torch.rand(50, 4), None, torch.arange(50) % 20)
    with LargestTensor() as largest:
        head._predict_single(selected, torch.randn(20, *sizes[0]), sample_meta(sizes), rescale=True)
    assert largest.bytes <= 50 * 200 * 300  # the bool masks themselves
