"""Registered evaluation of GLEE."""
from .lvis_eval_metric import LVISEvalMetric
from .referring_metric import ReferringMetric

__all__ = ['LVISEvalMetric', 'ReferringMetric']
