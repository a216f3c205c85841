"""What a program calls."""
from .audio import WhisperTranscriber
from .interactive_session import InteractiveSession, SessionObject

__all__ = ['InteractiveSession', 'SessionObject', 'WhisperTranscriber']
