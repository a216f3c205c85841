"""A picture of a session as the model sees it."""
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from torch import Tensor

from ..prompts.marks import warp_rounds
from ..prompts.rasters import drawn_mask
from ..prompts.warping import warp_mask
from ..structures.pixel_features import PixelFeatures
from ..structures.selected_queries import Segments
from .picture_geometry import PictureGeometry
from .user_prompt import UserPrompt


@dataclass
class SessionImage:
    """A picture on its way through the model.

    Attributes:
        batch: (1, 3, H, W) normalised and padded.
        feats: Backbone maps [(1, C, h, w)], once they are computed.
        sample: With ``ori_shape``, ``img_shape`` and ``batch_input_shape``.
        matrix: (3, 3), maps (x, y, 1) px of the original picture to those of the resized one.
        picture: The original, uint8 RGB (H, W, 3).
        shared: What ``shared_pixels`` encoded, by names.
        named: What ``segments`` found, by detector and names; of the last names alone.
    """
    batch: Tensor
    feats: list[Tensor]
    sample: DetDataSample
    matrix: np.ndarray = field(repr=False)
    picture: Optional[np.ndarray] = field(default=None, repr=False)
    shared: dict[tuple[str, ...], PixelFeatures] = field(default_factory=dict, repr=False)
    named: dict[tuple, Segments] = field(default_factory=dict, repr=False)

    @classmethod
    def prepare(cls, model, picture: np.ndarray, geometry: PictureGeometry) -> 'SessionImage':
        """Resize, normalise and pad a picture, uint8 RGB (H, W, 3)."""
        resized = geometry(picture)
        sample = DetDataSample(metainfo=dict(
            img_path=None, text=('object', ), text_mode='category', ori_shape=picture.shape[:2],
            img_shape=resized.shape))
        batch = model.data_preprocessor(dict(inputs=[resized.inputs], data_samples=[sample]), False)
        return cls(batch['inputs'], [], batch['data_samples'][0], resized.matrix, picture)

    @torch.no_grad()
    def encoded(self, model) -> 'SessionImage':
        """Itself, with the backbone's maps."""
        self.feats = list(model.extract_feat(self.batch))
        return self

    def shared_pixels(self, head, names: tuple[str, ...]) -> PixelFeatures:
        """The pixels as the head encodes them with some names and no visual prompt, once; a batch of one."""
        if names not in self.shared:
            self.shared[names] = head.encode(self.feats, head.encode_names(names))
        return self.shared[names]

    @torch.no_grad()
    def segments(self, detector, names: tuple[str, ...]) -> Segments:
        """All queries of a detector that has other weights than the maps, under some names."""
        if (detector, names) not in self.named:
            feats = detector.extract_feat(self.batch)
            self.named = {(detector, names): detector.panoptic_head.predict_segments(feats, names, ())}
        return self.named[detector, names]

    def draw(self, prompt: UserPrompt) -> tuple[Tensor, Tensor]:
        """Positive pixels of a prompt and the negative ones among the others, (H, W) bool over the padded input.

        A pixel of the resized picture has the sign of the pixel of the original that lies under its centre: the
        rectangle of a point is defined there (DESIGN section 5), and so are all marks.
        """
        positive, negative = warp_rounds(prompt.rounds, prompt.shape, self.matrix, self.sample.img_shape[:2])
        return self._pad(positive), self._pad(negative & ~positive)

    def warp(self, mask: np.ndarray) -> Tensor:
        """A bool mask (H, W) over the original picture in the padded input, at its size."""
        return self._pad(warp_mask(mask, self.matrix, self.sample.img_shape[:2]))

    def _pad(self, mask: np.ndarray) -> Tensor:
        (height, width), (out_height, out_width) = mask.shape, self.sample.batch_input_shape
        return F.pad(torch.from_numpy(mask), (0, out_width - width, 0, out_height - height)).to(self.batch.device)

    def shrink(self, mask: Tensor) -> Tensor:
        """Share (h, w) of true pixels of a mask of the padded input in each pixel of the mask features."""
        return F.interpolate(mask[None, None].float(), tuple(self.feats[0].shape[-2:]), mode='area')[0, 0]

    def logits_of(self, mask: np.ndarray) -> Tensor:
        """A mask (H, W) over the original picture as mask logits (h, w), in which no pixel is quite certain.

        Raises:
            ValueError: another size than the picture, or no true pixel.
        """
        return self.shrink(self.warp(drawn_mask(self.sample.ori_shape, mask))).clamp(0.01, 0.99).logit()
