"""Metrics of what a language model points at."""
from .reason_seg_metric import ReasonSegMetric

__all__ = ['ReasonSegMetric']
