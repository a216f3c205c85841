"""Weighted sampling of multi-scale maps: the operator of deformable attention, and the ways to compute it.

Deformable DETR (arXiv 2010.04159), equation 3, without its linear layers. All ways give the same numbers up to
rounding: ``kernel`` is mmcv's operator on a GPU and compiled loops on a CPU, both behind one operator that
``torch.compile`` and ``torch.export`` see as a whole; the others are plain torch.
"""
import warnings
from functools import lru_cache
from types import ModuleType
from typing import Iterator, Sequence

import torch
import torch.nn.functional as F
from mmcv.ops.multi_scale_deform_attn import ext_module as mmcv_kernels
from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch
from torch import Tensor

# on smaller maps the many small steps of embedding_bag cost more than grid_sample
MIN_BAG_POSITIONS = 2000


def sample_levels(value: Tensor, sizes: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor,
                  way: str = 'auto') -> Tensor:
    """Weighted sum of bilinear samples of all levels; zero outside a map.

    Args:
        value (Tensor): (B, N, H, D), the levels one after the other.
        sizes (Sequence[tuple[int, int]]): height and width of the L levels.
        locations (Tensor): (B, Q, H, L, P, 2), xy in 0..1 of the level.
        weights (Tensor): (B, Q, H, L, P).
        way (str): 'kernel', 'embedding_bag', 'grid_sample', 'gather', or 'auto', which takes the fastest that is there.

    Returns:
        Tensor: (B, Q, H*D).

    Raises:
        ValueError: ``sizes`` do not add up to N, or ``way`` is unknown.
    """
    if sum(height * width for height, width in sizes) != value.shape[1]:
        raise ValueError(f'value has {value.shape[1]} positions, but levels of {list(sizes)} have '
                         f'{sum(height * width for height, width in sizes)}')
    if way == 'auto':
        way = _choose(value)
    if way not in _SAMPLERS:
        raise ValueError(f"way='{way}' is unknown; choose one of {('auto', *_SAMPLERS)}")
    # half precision is too coarse for places
    dtype = torch.promote_types(torch.promote_types(value.dtype, locations.dtype), torch.float32)
    return _SAMPLERS[way](value.to(dtype), sizes, locations.to(dtype), weights.to(dtype)).type_as(value)


def _choose(value: Tensor) -> str:
    if value.device.type == 'cuda' or (value.device.type == 'cpu' and has_cpu_kernels()):
        return 'kernel'
    return 'embedding_bag' if value.shape[1] >= MIN_BAG_POSITIONS else 'grid_sample'


@lru_cache(1)
def cpu_kernels() -> ModuleType | None:
    """The compiled loops; None, with a warning, where numba does not work."""
    try:
        from . import deformable_kernels
    except ImportError as error:
        warnings.warn(f'deformable attention is several times slower on a CPU without numba: {error}')
        return None
    return deformable_kernels


@torch.compiler.assume_constant_result
def has_cpu_kernels() -> bool:
    """Whether numba works here."""
    return cpu_kernels() is not None


def _by_kernel(value: Tensor, sizes: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor) -> Tensor:
    return deformable_attention(value, [side for size in sizes for side in size], locations, weights)


def _by_embedding_bag(value: Tensor, sizes: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor) -> Tensor:
    """The four neighbours of every sample as rows of a table, summed with their weights."""
    rows, parts = zip(*_neighbours(value, sizes, locations, weights))
    out = F.embedding_bag(torch.cat(rows, -1).flatten(0, 2), _table(value), mode='sum',
                          per_sample_weights=torch.cat(parts, -1).flatten(0, 2))
    return out.view(*locations.shape[:2], -1)


def _by_gather(value: Tensor, sizes: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor) -> Tensor:
    """The same with plain indexing and products, which every runtime has; it needs the memory of all neighbours."""
    table, total = _table(value), 0
    for rows, parts in _neighbours(value, sizes, locations, weights):
        total = total + (parts[..., None, :] @ table[rows])[..., 0, :]
    return total.flatten(2)


def _table(value: Tensor) -> Tensor:
    """Channels (B*N*H, D) of every cell and head."""
    return value.flatten(0, 2)


def _neighbours(value: Tensor, sizes: Sequence[tuple[int, int]], locations: Tensor,
                weights: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Per level and kind of neighbour the rows of the table (B, Q, H, P) and their weights; 0 outside a map."""
    batch, num_keys, heads = value.shape[:3]
    device = value.device
    # the row of a cell is (image * N + cell) * heads + head
    images = torch.arange(batch, device=device).view(-1, 1, 1, 1) * num_keys
    head = torch.arange(heads, device=device).view(1, 1, -1, 1)
    start = 0
    for level, (height, width) in enumerate(sizes):
        x = locations[:, :, :, level, :, 0] * width - 0.5
        y = locations[:, :, :, level, :, 1] * height - 0.5
        left, top = x.detach().floor(), y.detach().floor()
        for column, by_x in ((left, 1 - (x - left)), (left + 1, x - left)):
            for row, by_y in ((top, 1 - (y - top)), (top + 1, y - top)):
                inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
                cell = torch.where(inside, row * width + column, 0).long()
                yield ((images + start + cell) * heads + head,
                       torch.where(inside, by_x * by_y * weights[:, :, :, level], 0))
        start += height * width


_SAMPLERS = dict(kernel=_by_kernel, embedding_bag=_by_embedding_bag, gather=_by_gather,
                 grid_sample=multi_scale_deformable_attn_pytorch)


@torch.library.custom_op('glee::deformable_attention', mutates_args=(), device_types='cpu')
def deformable_attention(value: Tensor, sizes: list[int], locations: Tensor, weights: Tensor) -> Tensor:
    """``sample_levels`` as an operator; ``sizes`` are (height, width, height, width, ...)."""
    return cpu_kernels().forward(value, sizes, locations, weights)


@torch.library.custom_op('glee::deformable_attention_backward', mutates_args=(), device_types='cpu')
def deformable_attention_backward(grad: Tensor, value: Tensor, sizes: list[int], locations: Tensor,
                                  weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of value, locations and weights from that of the output."""
    return cpu_kernels().backward(grad, value, sizes, locations, weights)


@deformable_attention.register_kernel('cuda')
def _mmcv_forward(value: Tensor, sizes: list[int], locations: Tensor, weights: Tensor) -> Tensor:
    shapes, starts = _on_device(tuple(sizes), value.device)
    return mmcv_kernels.ms_deform_attn_forward(
        value.contiguous(), shapes, starts, locations.contiguous(), weights.contiguous(), im2col_step=64)


@deformable_attention_backward.register_kernel('cuda')
def _mmcv_backward(grad: Tensor, value: Tensor, sizes: list[int], locations: Tensor,
                   weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    shapes, starts = _on_device(tuple(sizes), value.device)
    value, locations, weights = value.contiguous(), locations.contiguous(), weights.contiguous()
    grads = torch.zeros_like(value), torch.zeros_like(locations), torch.zeros_like(weights)
    mmcv_kernels.ms_deform_attn_backward(value, shapes, starts, locations, weights, grad.contiguous(), *grads,
                                         im2col_step=64)
    return grads


@lru_cache(64)
def _on_device(sizes: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Level sizes (L, 2) and the first position of each level (L,), copied to the device once."""
    # kept tensors must also serve a later pass with gradients
    with torch.inference_mode(False):
        shapes = torch.tensor(sizes).view(-1, 2)
        starts = torch.cat([shapes.new_zeros(1), shapes.prod(1).cumsum(0)[:-1]])
        return shapes.to(device), starts.to(device)


@deformable_attention.register_fake
def _(value: Tensor, sizes: list[int], locations: Tensor, weights: Tensor) -> Tensor:
    return value.new_empty(*weights.shape[:2], value.shape[2] * value.shape[3])


@deformable_attention_backward.register_fake
def _(grad: Tensor, value: Tensor, sizes: list[int], locations: Tensor,
      weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(value), torch.empty_like(locations), torch.empty_like(weights)


def _keep(ctx, inputs: tuple, output: Tensor) -> None:
    value, ctx.sizes, locations, weights = inputs
    ctx.save_for_backward(value, locations, weights)


def _differentiate(ctx, grad: Tensor) -> tuple[Tensor, None, Tensor, Tensor]:
    value, locations, weights = ctx.saved_tensors
    grads = deformable_attention_backward(grad, value, ctx.sizes, locations, weights)
    return grads[0], None, grads[1], grads[2]


deformable_attention.register_autograd(_differentiate, setup_context=_keep)
