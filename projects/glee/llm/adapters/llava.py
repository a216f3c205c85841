"""LLaVA-1.5 and others of its layout."""
from typing import Optional, Sequence, Union

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from .base import ImageTextModel, SeenPicture


@MODELS.register_module()
class LlavaAdapter(ImageTextModel):
    """``LlavaForConditionalGeneration``: a CLIP tower, a projector of two layers, a Llama.

    The picture is padded to a square with CLIP's mean colour, as LLaVA-1.5 was trained, so nothing is cut off. Of the
    tower the layer before the last is read, without the class token.

    Args:
        pooled (int | None): side of the grid to which the tokens of a picture are averaged before the projector; 8
            makes 64 tokens of a frame of a video.
        pool (str): '2d', or '1d' as GLUS has it: runs of tokens in reading order.
        path, config, words, lora, dtype, gradient_checkpointing, train_projector, seed: as of ``ImageTextModel``.

    Raises:
        ValueError: ``pool`` is unknown.
    """

    image_token = '<image>'
    lora_modules = r'.*language_model.*\.(q_proj|v_proj)'  # CLIP has modules of the same names
    user_prefix, user_suffix, answer_suffix = 'USER: ', ' ASSISTANT: ', '</s>'

    def __init__(self, pooled: Optional[int] = None, pool: str = '2d', path: Optional[str] = None,
                 config: Optional[dict] = None, words: Union[str, Sequence[str], None] = None,
                 lora: Optional[dict] = None, dtype: str = 'float32', gradient_checkpointing: bool = False,
                 train_projector: bool = False, seed: int = 0) -> None:
        if pool not in ('2d', '1d'):
            raise ValueError(f"pool={pool!r} must be '2d' or '1d'")
        super().__init__(path, config, words, lora, dtype, gradient_checkpointing, train_projector, seed)
        from transformers import CLIPImageProcessorPil
        self.pooled, self.pool = pooled, pool
        side = self.core.config.vision_config.image_size
        self.processor = CLIPImageProcessorPil(do_resize=False, do_center_crop=False)
        self.side, self.fill = side, [round(255 * value) for value in self.processor.image_mean]

    def load(self, path: str, dtype: torch.dtype) -> nn.Module:
        """See ``ImageTextModel``."""
        from transformers import LlavaForConditionalGeneration
        return LlavaForConditionalGeneration.from_pretrained(path, dtype=dtype, local_files_only=True)

    def build(self, config: dict, vocab_size: int) -> nn.Module:
        """``config`` has ``vision_config`` and ``text_config``."""
        from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration
        return LlavaForConditionalGeneration(LlavaConfig(
            vision_config=CLIPVisionConfig(**config['vision_config']),
            text_config=LlamaConfig(vocab_size=vocab_size, **config['text_config']),
            image_token_index=self.tokenizer.convert_tokens_to_ids(self.image_token)))

    def tower(self, core: nn.Module) -> nn.Module:
        """See ``ImageTextModel``."""
        return core.model.vision_tower

    def projector(self, core: nn.Module) -> nn.Module:
        """See ``ImageTextModel``."""
        return core.model.multi_modal_projector

    def pixel_values(self, picture: np.ndarray) -> Tensor:
        """RGB uint8 (H, W, 3) as the tower takes it, (1, 3, S, S)."""
        height, width = picture.shape[:2]
        side = max(height, width)
        square = np.empty((side, side, 3), np.uint8)
        square[:] = self.fill
        top, left = (side - height) // 2, (side - width) // 2
        square[top:top + height, left:left + width] = picture
        square = cv2.resize(square, (self.side, self.side), interpolation=cv2.INTER_AREA)
        return self.processor(square, return_tensors='pt')['pixel_values']

    @torch.no_grad()
    def see(self, picture: np.ndarray) -> SeenPicture:
        """See ``ImageTextModel``."""
        config, tower = self.core.config, self.tower(self.core)
        parameter = next(tower.parameters())
        hidden = tower(self.pixel_values(picture).to(parameter), output_hidden_states=True).hidden_states
        features = hidden[config.vision_feature_layer][0, 1:]
        if self.pooled is not None:
            features = pool_tokens(features, self.pooled, self.pool)
        return SeenPicture(features)

    def project(self, seen: SeenPicture) -> Tensor:
        """See ``ImageTextModel``."""
        projector = self.projector(self.core)
        return projector(seen.features.to(next(projector.parameters())))


def pool_tokens(features: Tensor, side: int, pool: str) -> Tensor:
    """Tokens (T, V) of a square grid averaged to (side * side, V): by place ('2d') or in reading order ('1d')."""
    if pool == '1d':
        return F.adaptive_avg_pool1d(features.t()[None], side * side)[0].t()
    grid = int(len(features)**0.5)
    return F.adaptive_avg_pool2d(features.t().reshape(1, -1, grid, grid), side)[0].flatten(1).t()
