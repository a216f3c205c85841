"""What the metrics compute with."""
from .finished_videos import FinishedVideos
from .video_record import VideoRecord

__all__ = [
    'FinishedVideos', 'VideoRecord'
]
