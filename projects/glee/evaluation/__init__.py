"""Registered evaluation of GLEE."""
from .lvis_eval_metric import LVISEvalMetric
from .referring_metric import ReferringMetric
from .video import (
    BDDTrackMetric,
    BURSTMetric,
    DavisVOSMetric,
    ExpressionJFMetric,
    RefDavisMetric,
    TETAMetric,
    VISMetric,
    YouTubeVOSMetric,
)

__all__ = [
    'BDDTrackMetric', 'BURSTMetric', 'DavisVOSMetric', 'ExpressionJFMetric', 'LVISEvalMetric', 'RefDavisMetric',
    'ReferringMetric', 'TETAMetric', 'VISMetric', 'YouTubeVOSMetric'
]
