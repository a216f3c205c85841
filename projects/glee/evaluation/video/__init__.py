"""Metrics of videos."""
from .bdd_track_metric import BDDTrackMetric
from .burst_metric import BURSTMetric
from .finished_videos import FinishedVideos
from .rvos_metric import ExpressionJFMetric, RefDavisMetric
from .teta_metric import TETAMetric
from .video_metric import VideoMetric
from .video_record import VideoRecord
from .vis_metric import VISMetric
from .vos_metric import DavisVOSMetric, YouTubeVOSMetric

__all__ = [
    'BDDTrackMetric', 'BURSTMetric', 'DavisVOSMetric', 'ExpressionJFMetric', 'FinishedVideos', 'RefDavisMetric',
    'TETAMetric', 'VISMetric', 'VideoMetric', 'VideoRecord', 'YouTubeVOSMetric'
]
