"""Trackers of GLEE, chosen by config."""
from .base_tracker import GLEETracker
from .expression_tracker import ExpressionTracker
from .frame_store import FrameStore
from .minvis_tracker import MinVISTracker, QueryLinker
from .prompt_tracker import PromptTracker

__all__ = [
    'ExpressionTracker', 'FrameStore', 'GLEETracker', 'MinVISTracker', 'PromptTracker', 'QueryLinker'
]
