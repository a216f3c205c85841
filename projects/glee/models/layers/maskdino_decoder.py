"""Object decoder with box refinement and prompt tokens (Mask DINO; DESIGN section 5 'Object decoder')."""
from typing import Callable, NamedTuple, Sequence

import torch
from mmdet.models.layers import MLP, coordinate_to_encoding, inverse_sigmoid
from mmdet.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from ...structures.prompt_tokens import PromptTokens
from .cpu_products import fast_products
from .deformable_attention import DeformableAttention, project_values
from .recomputed import run_layer
from .row_linear import FeedForward


class DecoderStates(NamedTuple):
    """``hidden``: layer-normed outputs [(B, Q, D)] per layer. ``references``: boxes (B, Q, 4) cxcywh in
    0..1, the initial one and the one refined after each layer; not detached."""
    hidden: list[Tensor]
    references: list[Tensor]


class MaskDINODecoderLayer(BaseModule):
    """Self-attention (queries read queries and prompt tokens), deformable cross-attention, FFN; post-norm.

    Prompt tokens are keys and values only. The original also lets them read, but drops what they
    read, so the numbers are the same.
    """

    def __init__(self, embed_dims: int, num_heads: int, num_levels: int, num_points: int,
                 feedforward_channels: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(embed_dims, num_heads, dropout, batch_first=True)
        self.cross_attn = DeformableAttention(embed_dims, num_heads, num_levels, num_points, dropout)
        self.ffn = FeedForward(embed_dims, feedforward_channels, dropout)
        self.norms = ModuleList(nn.LayerNorm(embed_dims) for _ in range(3))

    def forward(self, query: Tensor, query_pos: Tensor, memory: Tensor, reference_points: Tensor,
                sizes: Sequence[tuple[int, int]], attn_mask: Tensor | None, prompt: Tensor | None,
                is_projected: bool = False) -> Tensor:
        """One layer.

        Args:
            query, query_pos (Tensor): (B, Q, D).
            memory (Tensor): flattened encoder output (B, N, D), or (1, N, D) that all members of the batch read.
            reference_points (Tensor): (B, Q, L, 4) cxcywh in 0..1.
            sizes (Sequence[tuple[int, int]]): height and width of the levels in ``memory``.
            attn_mask (Tensor | None): (Q, Q+T) or (B*heads, Q, Q+T) bool, True = blocked.
            prompt (Tensor | None): (B, T, D); its position is a detached copy of itself.
            is_projected (bool): ``memory`` is this layer's value (``project_values``).
        """
        read = query_with_pos = query + query_pos
        value = query
        if prompt is not None:
            read = torch.cat([read, prompt + prompt.detach()], 1)
            value = torch.cat([value, prompt], 1)
        attended = self.self_attn(query_with_pos, read, value, attn_mask=attn_mask,
                                  need_weights=False)[0]
        query = self.norms[0](query + attended)
        query = self.norms[1](self.cross_attn(query, memory, query_pos, reference_points, sizes, is_projected))
        return self.norms[2](self.ffn(query))


@MODELS.register_module()
class MaskDINODecoder(BaseModule):
    """Nine layers that refine boxes, with one shared LayerNorm on every layer's output.

    Args:
        num_layers, embed_dims, num_heads, num_levels, num_points, feedforward_channels (int):
            sizes; the paper's values are the defaults.
        dropout (float): of attention and FFN.
        with_cp (bool): in training, recompute the layers in the backward pass to save memory.
        joint_values (bool): project the memory for all layers by one product, meant for a GPU and not yet measured on
            one; slower on a CPU, and not for weights that are sharded layer by layer. The numbers are the same.
    """

    def __init__(self,
                 num_layers: int = 9,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 num_levels: int = 4,
                 num_points: int = 4,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.,
                 with_cp: bool = False,
                 joint_values: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.joint_values = joint_values
        self.embed_dims = embed_dims
        self.num_heads = num_heads
        self.num_levels = num_levels
        self.with_cp = with_cp
        self.layers = ModuleList(
            MaskDINODecoderLayer(embed_dims, num_heads, num_levels, num_points,
                                 feedforward_channels, dropout) for _ in range(num_layers))
        self.ref_point_head = MLP(2 * embed_dims, embed_dims, embed_dims, 2)
        self.norm = nn.LayerNorm(embed_dims)

    def init_weights(self) -> None:
        """Xavier-uniform matrices, deformable attention as mmcv initialises it."""
        super().init_weights()
        for param in self.parameters():
            if param.dim() > 1:
                nn.init.xavier_uniform_(param)
        for layer in self.layers:
            layer.cross_attn.init_weights()

    def forward(self,
                query: Tensor,
                references: Tensor,
                memory: Tensor,
                sizes: Sequence[tuple[int, int]],
                box_head: Callable[[Tensor], Tensor],
                attn_mask: Tensor | None = None,
                prompt: PromptTokens | None = None) -> DecoderStates:
        """Decode; every layer in the precision of its weights, float32 under autocast too, and boxes in float32.

        Args:
            query (Tensor): query content (B, Q, D).
            references (Tensor): initial boxes (B, Q, 4), cxcywh in 0..1.
            memory (Tensor): encoder output (B, N, D), or (1, N, D) for all members of the batch, levels coarse to fine.
            sizes (Sequence[tuple[int, int]]): height and width of the levels in the order of ``memory``.
            box_head (Callable): maps (B, Q, D) to box logit deltas (B, Q, 4).
            attn_mask (Tensor | None): (Q, Q) bool, True = blocked (denoising).
            prompt (PromptTokens | None): tokens appended to the keys of self-attention.
        """
        with torch.autocast(memory.device.type, enabled=False), fast_products(memory, True, self.with_cp):
            weight = self.norm.weight
            query, memory = query.type_as(weight), memory.type_as(weight)
            references = references.to(torch.promote_types(weight.dtype, torch.float32))
            masks = self._attention_masks(query, attn_mask, prompt)
            values = [memory] * len(self.layers)
            if self.joint_values:
                values = project_values(memory, [layer.cross_attn for layer in self.layers])
            hidden, all_references = [], [references]
            for index, layer in enumerate(self.layers):
                tokens, mask = None, attn_mask
                if prompt is not None:
                    which = index % len(prompt.levels)
                    tokens, mask = prompt.levels[which].type_as(weight), masks[which]
                position = coordinate_to_encoding(references, num_feats=self.embed_dims // 2)
                query = run_layer(
                    layer, self.with_cp, query, self.ref_point_head(position.type_as(weight)), values[index],
                    references[:, :, None].expand(-1, -1, self.num_levels, -1), sizes, mask, tokens,
                    self.joint_values)
                # The next reference comes from the raw output, predicted boxes from the normed one.
                refined = (box_head(query) + inverse_sigmoid(references)).sigmoid()
                references = refined.detach()
                hidden.append(self.norm(query))
                all_references.append(refined)
        return DecoderStates(hidden, all_references)

    def _attention_masks(self, query: Tensor, attn_mask: Tensor | None,
                         prompt: PromptTokens | None) -> Sequence[Tensor]:
        """(B*heads, Q, Q+T) masks, one per token set: the query mask and the invalid tokens."""
        if prompt is None:
            return []
        batch, num_queries = query.shape[:2]
        if attn_mask is None:
            attn_mask = torch.zeros(num_queries, num_queries, dtype=torch.bool, device=query.device)
        masks = []
        for valid in prompt.valid:
            blocked = torch.cat([
                attn_mask.expand(batch, -1, -1),
                ~valid[:, None].expand(-1, num_queries, -1)
            ], -1)
            masks.append(blocked.repeat_interleave(self.num_heads, 0))
        return masks
