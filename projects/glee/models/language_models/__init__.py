"""Text to embeddings."""
from .clip_text_encoder import CLIPTextEncoder
from .clip_tokenizer import build_clip_tokenizer
from .text_features import TextFeatures

__all__ = [
    'CLIPTextEncoder', 'TextFeatures', 'build_clip_tokenizer'
]
