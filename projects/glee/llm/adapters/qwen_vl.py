"""Qwen2-VL and Qwen2.5-VL."""
from typing import Optional, Sequence, Union

import numpy as np
import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from .base import ImageTextModel, SeenPicture


@MODELS.register_module()
class QwenVLAdapter(ImageTextModel):
    """``Qwen2_5_VLForConditionalGeneration`` and ``Qwen2VLForConditionalGeneration``.

    A picture keeps its shape; positions are those of Qwen's three axes, in which a picture's tokens lie on its grid
    and objects and text follow it.

    Args:
        max_pixels (int): a larger picture is made smaller.
        path, config, words, lora, dtype, gradient_checkpointing, train_projector, seed: as of ``ImageTextModel``.
    """

    image_token = '<|image_pad|>'
    lora_modules = r'.*language_model.*\.(q_proj|v_proj)'
    user_prefix, user_suffix = '<|im_start|>user\n', '<|im_end|>\n<|im_start|>assistant\n'
    answer_suffix, turn_gap = '<|im_end|>', '\n'
    picture_prefix, picture_suffix = '<|vision_start|>', '<|vision_end|>'

    def __init__(self, max_pixels: int = 1003520, path: Optional[str] = None, config: Optional[dict] = None,
                 words: Union[str, Sequence[str], None] = None, lora: Optional[dict] = None, dtype: str = 'float32',
                 gradient_checkpointing: bool = False, train_projector: bool = False, seed: int = 0) -> None:
        super().__init__(path, config, words, lora, dtype, gradient_checkpointing, train_projector, seed)
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
        vision = self.core.config.vision_config
        cell = (vision.patch_size * vision.spatial_merge_size)**2
        self.processor = Qwen2VLImageProcessorPil(
            patch_size=vision.patch_size, temporal_patch_size=vision.temporal_patch_size,
            merge_size=vision.spatial_merge_size, size=dict(shortest_edge=4 * cell, longest_edge=max(max_pixels, cell)))

    def load(self, path: str, dtype: torch.dtype) -> nn.Module:
        """See ``ImageTextModel``."""
        from transformers import AutoModelForImageTextToText
        return AutoModelForImageTextToText.from_pretrained(path, dtype=dtype, local_files_only=True)

    def build(self, config: dict, vocab_size: int) -> nn.Module:
        """``config`` has ``vision_config`` and ``text_config`` of a Qwen2.5-VL."""
        from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
        return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(
            vision_config=dict(config['vision_config']), text_config=dict(config['text_config'], vocab_size=vocab_size),
            image_token_id=self.tokenizer.convert_tokens_to_ids(self.image_token)))

    def tower(self, core: nn.Module) -> nn.Module:
        """See ``ImageTextModel``."""
        return core.model.visual

    def projector(self, core: nn.Module) -> nn.Module:
        """The merger, the last layer of the tower."""
        return core.model.visual.merger

    @torch.no_grad()
    def see(self, picture: np.ndarray) -> SeenPicture:
        """See ``ImageTextModel``."""
        parts = self.processor(picture, return_tensors='pt')
        grid = parts['image_grid_thw']
        features = self.core.model.get_image_features(
            parts['pixel_values'].to(self.device), grid.to(self.device)).pooler_output
        return SeenPicture(torch.cat(list(features)), grid[0])

    def project(self, seen: SeenPicture) -> Tensor:
        """See ``ImageTextModel``; the merger has done it."""
        return seen.features.to(self.dtype)

    def position_ids(self, ids: Tensor, mask: Tensor, grids: Sequence[Tensor]) -> Tensor:
        """Positions (3, B, L); ``grids`` of the pictures in reading order."""
        if not grids:
            return super().position_ids(ids, mask, grids).expand(3, *ids.shape)
        kinds = (ids == self.image_id).int() * mask.int()
        return self.core.model.get_rope_index(
            ids, kinds, image_grid_thw=torch.stack(list(grids)).to(ids.device), attention_mask=mask)[0]
