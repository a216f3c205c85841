"""What the pixel decoder hands to the object decoder."""
from typing import NamedTuple, Sequence

import torch
from torch import Tensor


class PixelFeatures(NamedTuple):
    """Encoded pixels of B images, or of one image that all members of a batch share.

    ``levels``: encoder maps [(B, D, h, w)], fine to coarse. ``mask_features``: (B, D, H/4, W/4)
    (stride 8 for a ViT pyramid). ``text``: fused tokens (B, T, D) if they were asked for.
    """
    levels: list[Tensor]
    mask_features: Tensor
    text: Tensor | None = None

    def expand(self, count: int) -> 'PixelFeatures':
        """Views of one image for ``count`` members of a batch; those of so many images as they are."""
        if self.mask_features.shape[0] == count:
            return self
        return PixelFeatures([level.expand(count, -1, -1, -1) for level in self.levels],
                             self.mask_features.expand(count, -1, -1, -1))

    def of(self, index: int) -> 'PixelFeatures':
        """Views of one member of the batch, as a batch of one."""
        if len(self.mask_features) == 1:
            return self
        member = slice(index, index + 1)
        return PixelFeatures([level[member] for level in self.levels], self.mask_features[member])

    def owned(self) -> 'PixelFeatures':
        """Itself, or a copy where its tensors hold the memory of other members of a batch, too."""
        features = self.mask_features
        if features.untyped_storage().nbytes() == features.nbytes:
            return self
        return PixelFeatures([level.clone() for level in self.levels], self.mask_features.clone())

    @classmethod
    def cat(cls, parts: Sequence['PixelFeatures']) -> 'PixelFeatures':
        """Several batches of one as one batch; one batch of one where all parts are the same."""
        if all(part is parts[0] for part in parts):
            return parts[0]
        return cls([torch.cat(levels) for levels in zip(*(part.levels for part in parts))],
                   torch.cat([part.mask_features for part in parts]))
