"""What a program calls."""
from .audio import WhisperTranscriber
from .interactive_session import InteractiveSession, SessionObject
from .reference_video import track_reference

__all__ = ['InteractiveSession', 'SessionObject', 'WhisperTranscriber', 'track_reference']
