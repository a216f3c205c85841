"""What a program calls."""
from .audio import Transcript, WhisperTranscriber
from .det_inferencer import DetInferencer
from .frame_reader import FrameReader, camera_frames, open_frames
from .image_result import ImageResult
from .inferencer import GLEEInferencer
from .init_model import init_model
from .interactive_session import InteractiveSession
from .reference_video import track_reference
from .session_objects import SessionObject
from .tracked_video import TrackedVideo
from .video_session import VideoSession

__all__ = [
    'DetInferencer', 'FrameReader', 'GLEEInferencer', 'ImageResult', 'InteractiveSession', 'SessionObject',
    'TrackedVideo', 'Transcript', 'VideoSession', 'WhisperTranscriber', 'camera_frames', 'init_model', 'open_frames',
    'track_reference'
]
