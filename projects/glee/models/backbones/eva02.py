"""EVA-02 as a detection backbone (DESIGN section 5 'Backbones').

Parameter names of :class:`EVA02` (N = block)::

    pos_embed                              (1, 197, 1024), the first row is the class token's, unused
    patch_embed.projection.{weight,bias}
    layers.N.norm1.{weight,bias}
    layers.N.attn.q_proj.{weight,bias}  layers.N.attn.k_proj.weight  layers.N.attn.v_proj.{weight,bias}
    layers.N.attn.proj.{weight,bias}
    layers.N.norm2.{weight,bias}
    layers.N.mlp.w12.{weight,bias}         (5460, 1024): gate rows w1, then value rows w2
    layers.N.mlp.norm.{weight,bias}        (2730,), the sub-LN in front of w3
    layers.N.mlp.w3.{weight,bias}

The rotary tables are derived and not saved. The feature pyramid is the detector's neck
(:mod:`.simple_feature_pyramid`).
"""
from typing import Sequence

import numpy as np
import torch
import torch.nn.functional as F
import torch.utils.checkpoint as cp
from mmcv.cnn.bricks import DropPath
from mmdet.models.layers import PatchEmbed
from mmdet.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from mmengine.model.weight_init import trunc_normal_
from torch import Tensor, nn


class AxialRotaryEmbedding(nn.Module):
    """Rotary positions of a square grid, rows in the first half of the channels and columns in the second.

    Neighbouring channels (2i, 2i+1) are a complex number that is turned by position · theta^(-2i/D'),
    D' = head_dims / 2. Positions are scaled so that the side spans ``pretrain_size`` tokens. mmpretrain's
    ``RotaryEmbeddingFast`` pairs other channels and scales differently, so released weights need this one.

    Fewer tokens than the grid holds take the first rows of the flattened table, whatever their width:
    released checkpoints were trained so.

    Args:
        head_dims (int): channels of one attention head, a multiple of 4.
        size (int): side of the grid in tokens.
        pretrain_size (int): side of the grid in pre-training.
        theta (float): base of the frequencies.
    """

    def __init__(self, head_dims: int, size: int, pretrain_size: int = 16, theta: float = 10000.) -> None:
        super().__init__()
        self.size = size
        frequencies = theta**-(torch.arange(0, head_dims // 2, 2) / (head_dims // 2))
        angles = torch.outer(torch.arange(size) / size * pretrain_size, frequencies)
        angles = angles.repeat_interleave(2, 1)
        grid = torch.cat([angles[:, None].expand(-1, size, -1), angles[None].expand(size, -1, -1)], -1)
        self.register_buffer('cos', grid.flatten(0, 1).cos(), persistent=False)
        self.register_buffer('sin', grid.flatten(0, 1).sin(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Rotate (..., N, head_dims), tokens in row-major order."""
        length = x.shape[-2]
        if length > len(self.cos):
            raise ValueError(
                f'{length} tokens do not fit the rotary table of {self.size} x {self.size}: make the images '
                'smaller or raise `img_size` of the EVA02 backbone.')
        turned = torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2)
        return x * self.cos[:length] + turned * self.sin[:length]


class WindowRotaryAttention(BaseModule):
    """Multi-head attention with rotary positions, in windows or over the whole map (EVA-02 section 2).

    Maps are padded with zeros to whole windows; the padding takes part in the attention like any token.

    Args:
        embed_dims (int): width.
        num_heads (int): heads.
        rope (AxialRotaryEmbedding): positions of a window, or of the whole map.
        window_size (int): side of a window in tokens; 0 attends globally.
    """

    def __init__(self, embed_dims: int, num_heads: int, rope: AxialRotaryEmbedding, window_size: int = 0) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.window_size = window_size
        self.rope = rope
        self.q_proj = nn.Linear(embed_dims, embed_dims)
        self.k_proj = nn.Linear(embed_dims, embed_dims, bias=False)
        self.v_proj = nn.Linear(embed_dims, embed_dims)
        self.proj = nn.Linear(embed_dims, embed_dims)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Attend among (B, H·W, C) tokens of a map of ``size`` (H, W)."""
        if not self.window_size:
            return self._attend(x)
        (height, width), side = size, self.window_size
        x = F.pad(x.unflatten(1, size), (0, 0, 0, -width % side, 0, -height % side))
        rows, columns = x.shape[1] // side, x.shape[2] // side
        windows = x.unflatten(2, (columns, side)).unflatten(1, (rows, side)).transpose(2, 3)
        attended = self._attend(windows.flatten(3, 4).flatten(0, 2)).view_as(windows)
        return attended.transpose(2, 3).flatten(3, 4).flatten(1, 2)[:, :height, :width].flatten(1, 2)

    def _attend(self, x: Tensor) -> Tensor:
        q, k, v = (proj(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
                   for proj in (self.q_proj, self.k_proj, self.v_proj))
        q, k = self.rope(q).type_as(v), self.rope(k).type_as(v)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class SwiGLU(BaseModule):
    """Gated MLP with a norm in front of its last layer (EVA-02 section 2): w3(norm(silu(gate) * value)).

    Args:
        embed_dims (int): width.
        hidden_dims (int): width of the gate and of the value, the two halves of ``w12``.
        norm_eps (float): of the LayerNorm.
    """

    def __init__(self, embed_dims: int, hidden_dims: int, norm_eps: float) -> None:
        super().__init__()
        self.w12 = nn.Linear(embed_dims, 2 * hidden_dims)
        self.norm = nn.LayerNorm(hidden_dims, norm_eps)
        self.w3 = nn.Linear(hidden_dims, embed_dims)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (..., C) to tokens (..., C)."""
        gate, value = self.w12(x).chunk(2, dim=-1)
        return self.w3(self.norm(F.silu(gate) * value))


class EVA02Block(BaseModule):
    """Attention and MLP, each after a norm and added to its input with stochastic depth.

    Args:
        attn (WindowRotaryAttention): the attention.
        embed_dims (int): width.
        hidden_dims (int): width inside the MLP.
        drop_path_rate (float): how often a sample skips a branch in training.
        norm_eps (float): of every LayerNorm.
    """

    def __init__(self, attn: WindowRotaryAttention, embed_dims: int, hidden_dims: int, drop_path_rate: float,
                 norm_eps: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(embed_dims, norm_eps)
        self.attn = attn
        self.norm2 = nn.LayerNorm(embed_dims, norm_eps)
        self.mlp = SwiGLU(embed_dims, hidden_dims, norm_eps)
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Tokens (B, H·W, C) of a map of ``size`` (H, W) to the same."""
        x = x + self.drop_path(self.attn(self.norm1(x), size))
        return x + self.drop_path(self.mlp(self.norm2(x)))


@MODELS.register_module()
class EVA02(BaseModule):
    """EVA-02 ViT with window and global blocks, the image encoder of GLEE-Pro.

    mmpretrain's ``ViTEVA02`` has no windows and other rotary positions (see :class:`AxialRotaryEmbedding`).
    Defaults are EVA02-L at 1536 px.

    Args:
        img_size (int): largest image side in pixels; sets the grid of the global rotary table, so a
            released checkpoint needs its own value.
        patch_size (int): pixels per token.
        embed_dims (int), num_layers (int), num_heads (int): of the transformer.
        mlp_ratio (float): hidden width of the SwiGLU = int(embed_dims * mlp_ratio).
        window_size (int): side of an attention window in tokens.
        global_blocks (Sequence[int]): blocks without windows.
        pretrain_img_size (int): image side in pre-training; sets the table of absolute positions.
        rope_pretrain_size (int): side of the token grid that rotary positions are interpolated to.
        drop_path_rate (float): stochastic depth of the last block, rising linearly from 0.
        norm_eps (float): of every LayerNorm.
        with_cp (bool): recompute blocks in the backward pass to save memory.

    Attributes:
        wants_squares (bool): tokens of a picture of another shape would get the rotary positions of other places.
    """

    wants_squares = True

    def __init__(self,
                 img_size: int = 1536,
                 patch_size: int = 16,
                 embed_dims: int = 1024,
                 num_layers: int = 24,
                 num_heads: int = 16,
                 mlp_ratio: float = 8 / 3,
                 window_size: int = 16,
                 global_blocks: Sequence[int] = (2, 5, 8, 11, 14, 17, 20, 23),
                 pretrain_img_size: int = 224,
                 rope_pretrain_size: int = 16,
                 drop_path_rate: float = 0.0,
                 norm_eps: float = 1e-6,
                 with_cp: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.img_size = img_size
        self.num_layers = num_layers
        self.with_cp = with_cp
        self.pretrain_grid = (pretrain_img_size // patch_size, ) * 2
        self.patch_embed = PatchEmbed(embed_dims=embed_dims, kernel_size=patch_size, stride=patch_size)
        self.pos_embed = nn.Parameter(torch.zeros(1, self.pretrain_grid[0]**2 + 1, embed_dims))
        head_dims = embed_dims // num_heads
        window_rope = AxialRotaryEmbedding(head_dims, window_size, rope_pretrain_size)
        global_rope = AxialRotaryEmbedding(head_dims, img_size // patch_size, rope_pretrain_size)
        self.layers = ModuleList()
        for index, drop_path in enumerate(np.linspace(0, drop_path_rate, num_layers)):
            is_global = index in global_blocks
            attention = WindowRotaryAttention(
                embed_dims, num_heads, global_rope if is_global else window_rope, 0 if is_global else window_size)
            self.layers.append(EVA02Block(attention, embed_dims, int(embed_dims * mlp_ratio), drop_path, norm_eps))

    def init_weights(self) -> None:
        """Truncated normal 0.02, for training from scratch; else a converted checkpoint is loaded."""
        super().init_weights()
        if self.init_cfg is not None:
            return
        trunc_normal_(self.pos_embed, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def get_layer_depth(self, param_name: str, prefix: str = '') -> tuple[int, int]:
        """Depth of a parameter for layer-wise learning rates, with mmpretrain's signature.

        Returns:
            tuple: 0 for the embeddings, i + 1 for block i, ``num_layers`` + 1 for anything else; and the
            number of depths.
        """
        depths = self.num_layers + 2
        name = param_name.removeprefix(prefix)
        if not param_name.startswith(prefix):
            return depths - 1, depths
        if name.startswith('layers.'):
            return int(name.split('.')[1]) + 1, depths
        return 0, depths

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Images (B, 3, H, W) to one map (B, C, H/16, W/16); there is no final norm."""
        x, size = self.patch_embed(x)
        positions = self.pos_embed[:, 1:].unflatten(1, self.pretrain_grid).permute(0, 3, 1, 2)
        if size != self.pretrain_grid:
            positions = F.interpolate(positions.float(), size=size, mode='bicubic').type_as(positions)
        x = x + positions.flatten(2).transpose(1, 2)
        for layer in self.layers:
            if self.with_cp and x.requires_grad:
                x = cp.checkpoint(layer, x, size, use_reentrant=False)
            else:
                x = layer(x, size)
        return (x.transpose(1, 2).unflatten(2, size), )
