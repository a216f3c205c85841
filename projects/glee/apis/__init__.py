"""What a program calls."""
from .audio import Transcript, WhisperTranscriber
from .interactive_session import InteractiveSession, SessionObject
from .reference_video import track_reference
from .video_session import FrameReader, VideoSession, camera_frames

__all__ = [
    'FrameReader', 'InteractiveSession', 'SessionObject', 'Transcript', 'VideoSession', 'WhisperTranscriber',
    'camera_frames', 'track_reference'
]
