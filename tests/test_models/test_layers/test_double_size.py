"""Maps of twice the size: the numbers of torch's bilinear interpolation."""
import pytest
import torch
import torch.nn.functional as F

from projects.glee.models.layers.double_size import double_size
from projects.glee.models.layers.maskdino_pixel_decoder import MaskDINOPixelDecoder


@pytest.mark.parametrize('shape', [(2, 5, 7, 4), (1, 3, 1, 6), (1, 3, 1, 1)])
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_numbers_and_layout(shape, layout):
    maps = torch.randn(shape).to(memory_format=layout)
    out = double_size(maps)
    assert torch.allclose(out, F.interpolate(maps, scale_factor=2, mode='bilinear', align_corners=False), atol=1e-6)
    assert out.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('finest', [(8, 6), (7, 6)])  # twice the size, and not
def test_mask_features_are_those_of_training(finest):
    decoder = MaskDINOPixelDecoder(in_channels=(32, ) * 4, embed_dims=32, num_layers=1, early_fusion=None).eval()
    lateral, finest = torch.randn(2, 32, 16, 12), torch.randn(2, 32, *finest)
    expected = decoder._mask_features(lateral, finest)
    with torch.no_grad():
        assert torch.allclose(decoder._mask_features(lateral, finest), expected, atol=1e-5)
