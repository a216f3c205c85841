"""Multi-scale deformable attention that knows the sizes of its levels (Deformable DETR, arXiv 2010.04159)."""
from typing import Sequence

import torch
from mmcv.ops import MultiScaleDeformableAttention
from mmdet.registry import MODELS
from torch import Tensor

from .deformable_sampling import sample_levels
from .row_linear import row_linear


@MODELS.register_module()
class DeformableAttention(MultiScaleDeformableAttention):
    """mmcv's module, with level sizes as numbers and a fast operator on a CPU; parameters have mmcv's names.

    mmcv takes the sizes as a tensor and asserts their sum: ``torch.export`` and ``torch.compile`` stop there, and a
    GPU waits.

    Args:
        embed_dims (int): channels of queries, values and output.
        num_heads, num_levels, num_points (int): heads H, levels L, points P of a head on a level.
        dropout (float): on the output.
        way (str): how samples are read, see ``sample_levels``.
    """

    def __init__(self, embed_dims: int = 256, num_heads: int = 8, num_levels: int = 4, num_points: int = 4,
                 dropout: float = 0., way: str = 'auto', init_cfg: dict | None = None) -> None:
        super().__init__(embed_dims, num_heads, num_levels, num_points, dropout=dropout, batch_first=True,
                         init_cfg=init_cfg)
        self.way = way

    def forward(self, query: Tensor, value: Tensor, query_pos: Tensor | None, reference_points: Tensor,
                sizes: Sequence[tuple[int, int]], is_projected: bool = False) -> Tensor:
        """Attend, and add the query.

        Args:
            query, query_pos (Tensor): (B, Q, C).
            value (Tensor): (B, N, C), or (1, N, C) that all queries read; the levels one after the other.
            reference_points (Tensor): (B, Q, L, 2) points xy or (B, Q, L, 4) boxes cxcywh, in 0..1.
            sizes (Sequence[tuple[int, int]]): height and width of the levels.
            is_projected (bool): ``value`` has passed ``value_proj`` (``project_values``).

        Returns:
            Tensor: (B, Q, C).
        """
        if value.shape[0] < query.shape[0]:  # the value is projected once
            flat = [None if part is None else part.flatten(0, 1)[None] for part in (query, query_pos, reference_points)]
            return self(flat[0], value, *flat[1:], sizes, is_projected).view_as(query)
        identity = query
        if query_pos is not None:
            query = query + query_pos
        value = (value if is_projected else row_linear(value, self.value_proj)).unflatten(-1, (self.num_heads, -1))
        locations, weights = self.samples(query, reference_points, sizes)
        sampled = sample_levels(value, sizes, locations, weights, self.way)
        return self.dropout(row_linear(sampled, self.output_proj)) + identity

    def samples(self, query: Tensor, reference_points: Tensor,
                sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """Where queries look.

        Args:
            query (Tensor): (B, Q, C), positions added.
            reference_points, sizes: as of ``forward``.

        Returns:
            tuple: locations xy (B, Q, H, L, P, 2), 0..1 of the padded input, and their weights (B, Q, H, L, P), which
            sum to 1 over levels and points.
        """
        shape = (self.num_heads, self.num_levels, self.num_points)
        offsets = row_linear(query, self.sampling_offsets).unflatten(-1, (*shape, 2))
        weights = row_linear(query, self.attention_weights).unflatten(-1, (self.num_heads, -1)).softmax(-1)
        weights = weights.unflatten(-1, shape[1:])
        reference_points = reference_points[:, :, None, :, None]
        if reference_points.shape[-1] == 2:
            # filled where it is: a copy from the CPU would wait for the GPU
            extents = torch.stack([offsets.new_full((), side) for height, width in sizes for side in (width, height)])
            # one row per head and query: short rows of x and y are several times slower on a CPU
            reference_points, extents = (part.expand(*part.shape[:-2], self.num_points, 2).flatten(-3)
                                         for part in (reference_points, extents.view(-1, 1, 2)))
            locations = torch.addcdiv(reference_points, offsets.flatten(-3), extents).view_as(offsets)
        else:
            scale = reference_points[..., 2:] * (0.5 / self.num_points)
            locations = torch.addcmul(reference_points[..., :2], offsets, scale)
        return locations, weights


def project_values(value: Tensor, layers: Sequence[DeformableAttention]) -> Tensor:
    """Values (B, N, C) as each of some layers projects them: (layers, B, N, C), by one product.

    A GPU starts it once; on a CPU it takes longer than one product for each layer.
    """
    weight, bias = (torch.stack([getattr(layer.value_proj, name) for layer in layers]) for name in ('weight', 'bias'))
    rows = value.flatten(0, 1).expand(len(layers), -1, -1)
    return torch.baddbmm(bias[:, None], rows, weight.transpose(1, 2)).unflatten(1, value.shape[:2])
