"""Batches: pictures, and as batch augments the vocabulary and simulated prompts."""
from .batch_prompts import BatchPrompts
from .batch_vocabulary import BatchVocabulary
from .data_preprocessor import GLEEDataPreprocessor
from .video_data_preprocessor import GLEEVideoDataPreprocessor

__all__ = [
    'BatchPrompts', 'BatchVocabulary', 'GLEEDataPreprocessor', 'GLEEVideoDataPreprocessor'
]
