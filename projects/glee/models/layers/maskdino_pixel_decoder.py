"""Multi-scale deformable encoder and mask features (Mask DINO; DESIGN section 5 'Pixel decoder')."""
from typing import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet.models.layers import SinePositionalEncoding
from mmdet.registry import MODELS
from mmengine.model import BaseModule, ModuleList, caffe2_xavier_init, xavier_init
from torch import Tensor, nn

from ...structures.pixel_features import PixelFeatures
from .cell_centres import cell_centres
from .cpu_products import fast_products
from .deformable_attention import DeformableAttention
from .double_size import double_size
from .recomputed import run_layer
from .row_linear import FeedForward, on_cpu_in_inference


class DeformableEncoderLayer(BaseModule):
    """Deformable self-attention of the pixels, then a feed-forward network; post-norm."""

    def __init__(self, embed_dims: int, num_heads: int, num_levels: int, num_points: int,
                 feedforward_channels: int) -> None:
        super().__init__()
        self.self_attn = DeformableAttention(embed_dims, num_heads, num_levels, num_points)
        self.ffn = FeedForward(embed_dims, feedforward_channels)
        self.norms = ModuleList(nn.LayerNorm(embed_dims) for _ in range(2))

    def forward(self, query: Tensor, query_pos: Tensor, reference_points: Tensor,
                sizes: Sequence[tuple[int, int]]) -> Tensor:
        """``query`` (B, N, D) and ``query_pos`` (1, N, D) of all levels; the rest as in ``DeformableAttention``."""
        query = self.norms[0](self.self_attn(query, query, query_pos, reference_points, sizes))
        return self.norms[1](self.ffn(query))


@MODELS.register_module()
class MaskDINOPixelDecoder(BaseModule):
    """Deformable encoder over four levels with early prompt fusion, plus one FPN step for masks.

    The flattened sequence runs from high to low resolution. There is no padding mask: padded pixels
    are ordinary pixels and normalised coordinates refer to the padded tensor.

    Args:
        in_channels (Sequence[int]): channels of the backbone outputs, fine to coarse. With
            ``project=True`` the first feeds the mask features only and the others the encoder; with
            ``project=False`` (a ViT pyramid) all feed the encoder and the first also the mask features.
        embed_dims (int): encoder width.
        num_layers (int): encoder layers.
        num_heads (int), num_points (int): of the deformable attention.
        feedforward_channels (int): width of the encoder's feed-forward network.
        num_extra_levels (int): coarser levels made by stride-2 convolutions of the last input
            (only with ``project=True``).
        project (bool): 1x1 convolution and GroupNorm on every encoder input.
        norm_groups (int): groups of every GroupNorm.
        early_fusion (dict | None): config of the fusion module in front of encoder layer 0.
        with_cp (bool): in training, recompute the encoder layers in the backward pass to save memory.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (256, 512, 1024, 2048),
                 embed_dims: int = 256,
                 num_layers: int = 6,
                 num_heads: int = 8,
                 num_points: int = 4,
                 feedforward_channels: int = 2048,
                 num_extra_levels: int = 1,
                 project: bool = True,
                 norm_groups: int = 32,
                 early_fusion: dict | None = dict(type='EarlyFusion'),
                 with_cp: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.project = project
        self.with_cp = with_cp
        self.in_channels = tuple(in_channels)
        norm_cfg = dict(type='GN', num_groups=norm_groups)
        encoder_channels = self.in_channels[1:] if project else self.in_channels
        self.input_convs = ModuleList()
        if project:
            for channels in encoder_channels:
                self.input_convs.append(
                    ConvModule(channels, embed_dims, 1, bias=True, norm_cfg=norm_cfg, act_cfg=None))
            channels = encoder_channels[-1]
            for _ in range(num_extra_levels):
                self.input_convs.append(
                    ConvModule(channels, embed_dims, 3, stride=2, padding=1, bias=True,
                               norm_cfg=norm_cfg, act_cfg=None))
                channels = embed_dims
        self.num_levels = len(self.input_convs) if project else len(encoder_channels)
        self.position = SinePositionalEncoding(num_feats=embed_dims // 2, normalize=True)
        self.level_embed = nn.Parameter(torch.zeros(self.num_levels, embed_dims))
        self.early_fusion = None if early_fusion is None else MODELS.build({'embed_dims': embed_dims, **early_fusion})
        self.layers = ModuleList(
            DeformableEncoderLayer(embed_dims, num_heads, self.num_levels, num_points, feedforward_channels)
            for _ in range(num_layers))
        self.lateral_conv = ConvModule(self.in_channels[0], embed_dims, 1, bias=False,
                                       norm_cfg=norm_cfg, act_cfg=None)
        self.output_conv = ConvModule(embed_dims, embed_dims, 3, padding=1, bias=False,
                                      norm_cfg=norm_cfg)
        self.mask_conv = nn.Conv2d(embed_dims, embed_dims, 1)

    def init_weights(self) -> None:
        """Initialisation of the original: see DESIGN section 8."""
        super().init_weights()
        for layer in self.layers:
            for name, param in layer.named_parameters():
                if param.dim() > 1 and not name.startswith('self_attn'):
                    nn.init.xavier_uniform_(param)
            layer.self_attn.init_weights()
        for conv in self.input_convs:
            xavier_init(conv.conv, distribution='uniform')
        for conv in (self.lateral_conv.conv, self.output_conv.conv, self.mask_conv):
            caffe2_xavier_init(conv)
        nn.init.normal_(self.level_embed)

    def _encoder_inputs(self, feats: Sequence[Tensor]) -> list[Tensor]:
        if not self.project:
            return list(feats)
        inputs = [conv(feat) for conv, feat in zip(self.input_convs, feats[1:])]
        extra = feats[-1]
        for conv in self.input_convs[len(inputs):]:
            extra = conv(extra)
            inputs.append(extra)
        return inputs

    def forward(self, feats: Sequence[Tensor], tokens: Tensor | None = None,
                with_text: bool = False, groups: Tensor | None = None) -> PixelFeatures:
        """Encode in the precision of the weights, float32 under autocast too.

        Args:
            feats (Sequence[Tensor]): backbone maps [(B, C, h, w)], fine to coarse; those of one image serve all B
                prompts, and what does not depend on a prompt is computed once.
            tokens (Tensor | None): prompt tokens (B, T, D); without them the fusion is skipped.
            with_text (bool): also return the fused tokens.
            groups (Tensor | None): which tokens are equal, see ``EarlyFusion``.
        """
        if len(feats) != len(self.in_channels):
            raise ValueError(
                f'MaskDINOPixelDecoder got {len(feats)} feature maps but in_channels names '
                f'{len(self.in_channels)}: set in_channels or the backbone\'s out_indices.')
        with torch.autocast(feats[0].device.type, enabled=False), fast_products(feats[0], True):
            feats = [feat.type_as(self.level_embed) for feat in feats]
            tokens = None if tokens is None else tokens.type_as(self.level_embed)
            levels, text = self.encode(feats, tokens, with_text, groups)
            return PixelFeatures(levels, self._mask_features(feats[0], levels[0]), text)

    def encode(self, feats: list[Tensor], tokens: Tensor | None = None,
               with_text: bool = False, groups: Tensor | None = None) -> tuple[list[Tensor], Tensor | None]:
        """``levels`` and ``text`` of ``PixelFeatures``, without mask features; arguments of ``forward``."""
        inputs = self._encoder_inputs(feats)
        sizes = [tuple(x.shape[-2:]) for x in inputs]
        query = torch.cat([x.flatten(2).transpose(1, 2) for x in inputs], 1)
        query_pos = self._positions(sizes, query.device)
        text = None
        if tokens is not None and self.early_fusion is not None:
            query, text = self.early_fusion(query, tokens, with_text, groups)
        # half precision is too coarse for places
        precision = torch.promote_types(query.dtype, torch.float32)
        reference_points = torch.cat([cell_centres(*size, query.device, precision) for size in sizes])[:, None]
        reference_points = reference_points.expand(query.shape[0], -1, self.num_levels, -1)
        for layer in self.layers:
            query = run_layer(layer, self.with_cp, query, query_pos, reference_points, sizes)
        levels = [
            part.transpose(1, 2).unflatten(2, size)
            for part, size in zip(query.split([h * w for h, w in sizes], 1), sizes)
        ]
        return levels, text

    def _positions(self, sizes: list[tuple[int, int]], device: torch.device) -> Tensor:
        """Sine position plus level embedding, (1, N, D)."""
        positions = []
        for size, level_embed in zip(sizes, self.level_embed):
            position = self.position(torch.zeros(1, *size, device=device))
            positions.append(position.flatten(2).transpose(1, 2).type_as(level_embed) + level_embed)
        return torch.cat(positions, 1)

    def _mask_features(self, lateral: Tensor, finest: Tensor) -> Tensor:
        lateral = self.lateral_conv(lateral)
        if on_cpu_in_inference(lateral) and lateral.shape[-2:] == (2 * finest.shape[-2], 2 * finest.shape[-1]):
            finest = double_size(finest)
        else:
            finest = F.interpolate(finest, size=lateral.shape[-2:], mode='bilinear', align_corners=False)
        features = lateral + finest
        if features.device.type != 'cpu' and not torch.is_grad_enabled():
            # cuDNN has no Fourier transform for this layout, whose workspace may take tens of GiB (docs/gpu.md)
            features = features.contiguous(memory_format=torch.channels_last)
        return self.mask_conv(self.output_conv(features))
