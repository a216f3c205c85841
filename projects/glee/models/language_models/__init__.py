"""Text to embeddings."""
from .clip_text_encoder import CLIPTextEncoder, TextFeatures
from .clip_tokenizer import build_clip_tokenizer

__all__ = [
    'CLIPTextEncoder', 'TextFeatures', 'build_clip_tokenizer'
]
