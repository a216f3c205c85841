"""Feature pyramid of a plain ViT (ViTDet section 3; DESIGN section 5 'Backbones').

Parameter names of :class:`SimpleFeaturePyramid` (i = 0, 1, 2 for strides 8, 16, 32)::

    resizes.0.{weight,bias}             transposed convolution 1024 -> 512
    lateral_convs.i.conv.weight         1x1       lateral_convs.i.ln.{weight,bias}
    output_convs.i.conv.weight          3x3       output_convs.i.ln.{weight,bias}
"""
from typing import Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn


class LayerNorm2d(nn.LayerNorm):
    """LayerNorm over the channels of maps (B, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, H, W) to the same."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous()


@MODELS.register_module()
class SimpleFeaturePyramid(BaseModule):
    """Maps of several strides from the last map of a ViT.

    For every scale: resize (2: transposed convolution to half the channels; 0.5: max pooling; 1: nothing),
    1x1 and 3x3 convolution without bias, each followed by a LayerNorm over channels; no activation. Then
    coarser levels by taking every other pixel.

    Args:
        in_channels (int): channels of the ViT.
        out_channels (int): channels of every level.
        scale_factors (Sequence[float]): size of the levels relative to the input, out of 2, 1 and 0.5.
        num_extra_levels (int): subsampled levels.
        norm_eps (float): of every LayerNorm.

    Raises:
        ValueError: for another scale factor.
    """

    def __init__(self,
                 in_channels: int = 1024,
                 out_channels: int = 256,
                 scale_factors: Sequence[float] = (2, 1, 0.5),
                 num_extra_levels: int = 1,
                 norm_eps: float = 1e-6,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.num_extra_levels = num_extra_levels
        self.resizes, self.lateral_convs, self.output_convs = ModuleList(), ModuleList(), ModuleList()
        norm_cfg = dict(type=LayerNorm2d, eps=norm_eps)
        for scale in scale_factors:
            resize, channels = _resize(in_channels, scale)
            self.resizes.append(resize)
            self.lateral_convs.append(ConvModule(channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=None))
            self.output_convs.append(
                ConvModule(out_channels, out_channels, 3, padding=1, norm_cfg=norm_cfg, act_cfg=None))

    def forward(self, feats: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Levels [(B, out_channels, h, w)], fine to coarse, from the last of ``feats`` (B, C, H, W)."""
        levels = [
            output(lateral(resize(feats[-1])))
            for resize, lateral, output in zip(self.resizes, self.lateral_convs, self.output_convs)
        ]
        for _ in range(self.num_extra_levels):
            levels.append(F.max_pool2d(levels[-1], 1, stride=2))
        return tuple(levels)


def _resize(channels: int, scale: float) -> tuple[nn.Module, int]:
    """The module that resizes by ``scale``, and its output channels."""
    if scale == 2:
        return nn.ConvTranspose2d(channels, channels // 2, 2, stride=2), channels // 2
    if scale == 1:
        return nn.Identity(), channels
    if scale == 0.5:
        return nn.MaxPool2d(2), channels
    raise ValueError(f'scale_factors of SimpleFeaturePyramid may be 2, 1 and 0.5, got {scale}')
