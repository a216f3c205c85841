"""Videos under a language model (GLUS)."""
from .frame_reasoner import FrameAnswer, FrameReasoner
from .key_frames import FileKeyFrames, GLEEKeyFrames, KeyFrameScorer, LanguageKeyFrames
from .memory_bank import MemoryBank, VideoMemory
from .sweep import Sweep, sweep
from .video_segmentor import VideoReasoningSegmentor

__all__ = [
    'FileKeyFrames', 'FrameAnswer', 'FrameReasoner', 'GLEEKeyFrames', 'KeyFrameScorer', 'LanguageKeyFrames',
    'MemoryBank', 'Sweep', 'VideoMemory', 'VideoReasoningSegmentor', 'sweep'
]
