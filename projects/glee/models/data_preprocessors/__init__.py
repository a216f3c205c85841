"""Batches: pictures, vocabularies, simulated prompts."""
from .clip_prompt_simulator import ClipPromptSimulator
from .data_preprocessor import GLEEDataPreprocessor
from .prompt_simulator import PromptSimulator
from .video_data_preprocessor import GLEEVideoDataPreprocessor

__all__ = [
    'ClipPromptSimulator', 'GLEEDataPreprocessor', 'GLEEVideoDataPreprocessor', 'PromptSimulator'
]
