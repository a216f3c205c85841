"""Registered evaluation of GLEE."""
from ..datasets.transforms.click_simulation import Click, ClickSimulator
from . import panopticapi_names
from .interactive_seg_metric import InteractiveSegMetric
from .interactive_test_loop import InteractiveTestLoop, SessionPredictor
from .lvis_eval_metric import LVISEvalMetric
from .referring_metric import ReferringMetric

panopticapi_names.provide()

__all__ = [
    'Click', 'ClickSimulator', 'InteractiveSegMetric', 'InteractiveTestLoop', 'LVISEvalMetric', 'ReferringMetric',
    'SessionPredictor'
]
