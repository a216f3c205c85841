"""What the metrics compute with."""
from .unscored import drop_unscored
from .video_record import VideoRecord

__all__ = [
    'VideoRecord', 'drop_unscored'
]
