"""Names that an untrained text encoder tells apart, for training from scratch."""
import torch
import torch.nn.functional as F
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import nn


@WEIGHT_INITIALIZERS.register_module()
class RemoveCommonDirection:
    """Initialiser of a ``CLIPTextEncoder`` whose ``lang_projection`` shall ignore what all one-word texts share.

    In an untrained transformer the start token is the same for all texts and the end token nearly so, and the mean
    over tokens makes all names alike (cosine 0.9). Trained CLIP weights do not need this. It is the ``init_cfg`` of the
    text encoder.

    Args:
        num_words (int): random one-word texts whose states are averaged.
    """

    def __init__(self, num_words: int = 256) -> None:
        self.num_words = num_words

    @torch.no_grad()
    def __call__(self, encoder: nn.Module) -> None:
        """Project the common direction out of ``encoder.lang_projection`` (width, D), in place."""
        config = encoder.text_model.config
        generator = torch.Generator().manual_seed(0)
        words = torch.randint(config.bos_token_id, (self.num_words, 1), generator=generator)
        start, end = (torch.full_like(words, token) for token in (config.bos_token_id, config.eos_token_id))
        texts = torch.cat([start, words, end], 1).to(encoder.lang_projection.device)
        common = F.normalize(encoder.text_model(texts).last_hidden_state.mean((0, 1)), dim=0)
        encoder.lang_projection -= common[:, None] * (common @ encoder.lang_projection)
