"""What a program calls."""
from .audio import Transcript, WhisperTranscriber
from .image_result import ImageResult
from .inferencer import GLEEInferencer
from .init_model import init_model
from .interactive_session import InteractiveSession
from .reference_video import track_reference
from .session_objects import SessionObject
from .video_session import FrameReader, VideoSession, camera_frames

__all__ = [
    'FrameReader', 'GLEEInferencer', 'ImageResult', 'InteractiveSession', 'SessionObject', 'Transcript', 'VideoSession',
    'WhisperTranscriber', 'camera_frames', 'init_model', 'track_reference'
]
