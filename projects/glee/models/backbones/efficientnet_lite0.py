"""EfficientNet-Lite0, a small backbone without squeeze-and-excitation."""
from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmdet.models.layers import InvertedResidual
from mmdet.registry import MODELS
from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

# kernel, stride, expansion, channels, blocks of each stage (arXiv 1905.11946, table 1, with the layer counts of B0)
STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4),
          (3, 1, 6, 320, 1))
STEM_CHANNELS = 32


@MODELS.register_module()
class EfficientNetLite0(BaseModule):
    """EfficientNet-B0 for devices: ReLU6 in place of Swish and no squeeze-and-excitation.

    Layer 0 is the stem (stride 2, 32 channels); layers 1 to 7 are the stages, of 16, 24, 40, 80, 112, 192 and 320
    channels and strides 2, 4, 8, 16, 16, 32 and 32. Convolutions of stride 2 are padded as TensorFlow does it, or the
    released weights would see pictures moved by a pixel. Those weights expect RGB with mean 127 and deviation 128.

    Args:
        out_indices (Sequence[int]): layers whose maps are given back; 2, 3, 5 and 7 are strides 4, 8, 16 and 32.
        frozen_stages (int): layers 0 to this one are not trained and keep their statistics; -1: none.
        norm_eval (bool): batch norms keep their statistics in training.
        norm_cfg (dict): the batch norms; epsilon and momentum are those of the released weights.
        with_cp (bool): compute the blocks again in the backward pass rather than keep what is inside.
        init_cfg (dict | None): ``dict(type='PackagedWeights', ...)`` for weights of ImageNet.
    """

    def __init__(self,
                 out_indices: Sequence[int] = (2, 3, 5, 7),
                 frozen_stages: int = -1,
                 norm_eval: bool = False,
                 norm_cfg: dict = dict(type='BN', eps=1e-3, momentum=0.01),
                 with_cp: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if not all(0 <= index <= len(STAGES) for index in (*out_indices, max(frozen_stages, 0))):
            raise ValueError(f'layers are 0 to {len(STAGES)}, got out_indices={tuple(out_indices)}, '
                             f'frozen_stages={frozen_stages}')
        self.out_indices, self.frozen_stages, self.norm_eval = tuple(out_indices), frozen_stages, norm_eval
        common = dict(norm_cfg=norm_cfg, act_cfg=dict(type='ReLU6'))
        self.layers = nn.ModuleList([
            ConvModule(3, STEM_CHANNELS, 3, stride=2, conv_cfg=_padding_of(2), **common)])
        channels = STEM_CHANNELS
        for kernel, stride, expansion, out_channels, num_blocks in STAGES[:max(out_indices)]:
            blocks = []
            for block in range(num_blocks):
                step = stride if block == 0 else 1
                blocks.append(InvertedResidual(
                    channels, out_channels, channels * expansion, kernel_size=kernel, stride=step,
                    with_expand_conv=expansion > 1, conv_cfg=_padding_of(step), with_cp=with_cp, **common))
                channels = out_channels
            self.layers.append(Sequential(*blocks))
        self._freeze()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Maps (N, C, H / stride, W / stride) of ``out_indices``, made of images (N, 3, H, W)."""
        maps, x = [], images
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in self.out_indices:
                maps.append(x)
        return tuple(maps)

    def train(self, mode: bool = True) -> 'EfficientNetLite0':
        """As usual, but what is frozen keeps its statistics."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def _freeze(self) -> None:
        for layer in self.layers[:self.frozen_stages + 1]:
            layer.eval()
            layer.requires_grad_(False)


def _padding_of(stride: int) -> dict | None:
    return dict(type='Conv2dAdaptivePadding') if stride == 2 else None
