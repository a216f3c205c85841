"""What a program calls."""
from .interactive_session import InteractiveSession, SessionObject
from .video_session import FrameReader, VideoSession, camera_frames

__all__ = ['FrameReader', 'InteractiveSession', 'SessionObject', 'VideoSession', 'camera_frames']
