"""Clicks and the mask of the round before, pixel by pixel: what lets a click carve a mask."""
from typing import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ....utils.unwaited import sent


@MODELS.register_module()
class MaskFeatureRefiner(BaseModule):
    """Changes the mask features where earlier rounds say something (ours, beside SEEM's memory tokens).

    Tokens tell queries which object is meant, but a mask is the product of one query with all pixels: no token can
    take back a corner of it. Three convolutions read the mask features together with maps of positive pixels,
    negative pixels and the previous mask's probability, and add their output to the mask features. The last one
    starts at zero, so that a model in which it is untrained gives the numbers of one without.

    Args:
        embed_dims (int): channels D of the mask features.
        hidden_dims (int): channels between the convolutions.
    """

    def __init__(self, embed_dims: int = 256, hidden_dims: int = 64, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.pixels = nn.Conv2d(embed_dims, hidden_dims, 1)
        self.maps = nn.Conv2d(3, hidden_dims, 3, padding=1, bias=False)
        self.mix = nn.Conv2d(hidden_dims, hidden_dims, 3, padding=1)
        self.change = nn.Conv2d(hidden_dims, embed_dims, 3, padding=1)
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    def forward(self, mask_features: Tensor, masks: Tensor, neg_masks: Tensor,
                previous: Sequence[Tensor | None]) -> Tensor:
        """Mask features (R, D, h, w) of R objects; those of one without a previous mask are not changed.

        Args:
            mask_features (Tensor): (R, D, h, w).
            masks, neg_masks (Tensor): (R, H, W) bool, positive and negative pixels in the padded input.
            previous (Sequence[Tensor | None]): mask logits (h, w) of each object.
        """
        known = [logits is not None for logits in previous]
        if not any(known):
            return mask_features
        blank = mask_features.new_zeros(mask_features.shape[-2:])
        before = torch.stack([blank if logits is None else logits.to(blank) for logits in previous]).sigmoid()
        signs = F.interpolate(torch.stack([masks, neg_masks], 1).to(blank), tuple(blank.shape), mode='area')
        hidden = F.gelu(self.pixels(mask_features) + self.maps(torch.cat([signs, before[:, None]], 1)))
        change = self.change(F.gelu(self.mix(hidden)))
        return mask_features + change * sent(known, change.device)[:, None, None, None]
