"""Points of the mask losses against mmdet's."""
import pytest
import torch
from mmdet.models.utils import get_uncertain_point_coords_with_randomness

from projects.glee.models.losses.uncertain_points import uncertain_points


@pytest.mark.parametrize('share', [0.75, 1.])
def test_the_points_are_mmdets_in_another_order(share):
    logits = torch.randn(3, 12, 20, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    expected = get_uncertain_point_coords_with_randomness(logits[:, None], None, 100, 3., share)
    torch.manual_seed(1)
    points = uncertain_points(logits, 100, 3., share)
    assert points.shape == (3, 100, 2)
    for ours, theirs in zip(points, expected):
        assert sorted(map(tuple, ours.tolist())) == sorted(map(tuple, theirs.tolist()))
