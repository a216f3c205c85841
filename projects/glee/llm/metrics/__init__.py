"""Metrics of what a language model points at."""
from .frame_iou_metric import FrameIoUMetric
from .reason_seg_metric import ReasonSegMetric

__all__ = ['FrameIoUMetric', 'ReasonSegMetric']
