"""Registered metrics."""
from .base_video_metric import VideoMetric
from .bdd_track_metric import BDDTrackMetric
from .burst_metric import BURSTMetric
from .coco_eval_metric import CocoEvalMetric
from .interactive_seg_metric import InteractiveSegMetric
from .lvis_eval_metric import LVISEvalMetric
from .lvis_fixed_metric import LVISFixedEvalMetric
from .mean_of_sets_metric import MeanOfSetsMetric
from .omnilabel_metric import OmniLabelMetric
from .panoptic_metric import PanopticMetric
from .reasoning_metric import ReasonVOSMetric, ReVOSMetric
from .referring_metric import ReferringMetric
from .rvos_metric import ExpressionJFMetric, RefDavisMetric
from .teta_metric import TETAMetric
from .vis_metric import VISMetric
from .vos_metric import DavisVOSMetric, YouTubeVOSMetric

__all__ = [
    'BDDTrackMetric', 'BURSTMetric', 'CocoEvalMetric', 'DavisVOSMetric', 'ExpressionJFMetric', 'InteractiveSegMetric',
    'LVISEvalMetric', 'LVISFixedEvalMetric', 'MeanOfSetsMetric', 'OmniLabelMetric', 'PanopticMetric', 'ReVOSMetric',
    'ReasonVOSMetric', 'RefDavisMetric', 'ReferringMetric', 'TETAMetric', 'VISMetric', 'VideoMetric',
    'YouTubeVOSMetric'
]
