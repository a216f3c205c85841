"""What the round before found, as tokens for the decoder (SEEM's memory prompts)."""
from typing import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from ....structures.prompt_tokens import PromptTokens
from ....utils.unwaited import sent


@MODELS.register_module()
class MemoryPromptEncoder(BaseModule):
    """Learned tokens that look at the image through the previous mask (SEEM section 3.2).

    Per encoder level but the coarsest: the tokens attend to the level's pixels where the previous mask's
    probability is at least 0.5 (to all pixels if there are none), then to each other. They join the
    decoder's prompt tokens times a gate that starts at zero. In eval mode a gate of zero hides them, so that
    a model with untrained memory gives the numbers of one without.

    Args:
        embed_dims (int): width D.
        num_tokens (int): tokens of a level.
        num_levels (int): levels that have tokens.
        num_heads (int): attention heads.
    """

    def __init__(self, embed_dims: int = 256, num_tokens: int = 32, num_levels: int = 3, num_heads: int = 8,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.num_heads = num_heads
        self.tokens = nn.Embedding(num_tokens, embed_dims)
        self.cross_attn = ModuleList(
            nn.MultiheadAttention(embed_dims, num_heads, batch_first=True) for _ in range(num_levels))
        self.self_attn = ModuleList(
            nn.MultiheadAttention(embed_dims, num_heads, batch_first=True) for _ in range(num_levels))
        self.norms = ModuleList(nn.LayerNorm(embed_dims) for _ in range(2 * num_levels))
        self.gate = nn.Parameter(torch.zeros(()))

    def blocked_pixels(self, previous: Tensor, size: tuple[int, int]) -> Tensor:
        """Pixels (R, h*w) bool that tokens may not see, for mask logits (R, H, W) of the round before."""
        small = F.interpolate(previous[:, None].float(), size, mode='bilinear', align_corners=False)
        blocked = small.sigmoid().flatten(1) < 0.5
        return blocked & ~blocked.all(1, keepdim=True)

    def forward(self, levels: Sequence[Tensor], previous: Sequence[Tensor | None]) -> PromptTokens | None:
        """Tokens of R objects, valid where there is a previous mask; None if no object has one.

        Args:
            levels (Sequence[Tensor]): encoder maps [(R, D, h, w)], fine to coarse.
            previous (Sequence[Tensor | None]): mask logits (H, W) of each object.
        """
        known = [logits for logits in previous if logits is not None]
        if not known or not (self.training or bool(self.gate != 0)):
            return None
        masks = torch.stack([known[0] * 0 if logits is None else logits for logits in previous]).to(levels[0].device)
        valid = sent([logits is not None for logits in previous], masks.device)
        sets = []
        for index, (cross, own) in enumerate(zip(self.cross_attn, self.self_attn)):
            pixels = levels[index].flatten(2).transpose(1, 2)
            query = self.tokens.weight.expand(len(masks), -1, -1)
            blocked = self.blocked_pixels(masks, tuple(levels[index].shape[-2:]))
            seen = cross(query, pixels, pixels, key_padding_mask=blocked, need_weights=False)[0]
            query = self.norms[2 * index](query + seen)
            query = self.norms[2 * index + 1](query + own(query, query, query, need_weights=False)[0])
            sets.append(self.gate * query)
        return PromptTokens(sets, [valid[:, None].expand(-1, len(self.tokens.weight))] * len(sets))
