"""Registered evaluation of GLEE."""
from ..datasets.transforms.click_simulation import Click, ClickSimulator
from . import panopticapi_names
from .interactive_seg_metric import InteractiveSegMetric
from .interactive_test_loop import InteractiveTestLoop, SessionPredictor
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

panopticapi_names.provide()

__all__ = [
    'BDDTrackMetric', 'BURSTMetric', 'Click', 'ClickSimulator', 'DavisVOSMetric', 'ExpressionJFMetric',
    'InteractiveSegMetric', 'InteractiveTestLoop', 'LVISEvalMetric', 'RefDavisMetric', 'ReferringMetric',
    'SessionPredictor', 'TETAMetric', 'VISMetric', 'YouTubeVOSMetric'
]
