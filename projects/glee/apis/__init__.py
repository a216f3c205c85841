"""What a program calls."""
from .interactive_session import InteractiveSession, SessionObject

__all__ = ['InteractiveSession', 'SessionObject']
