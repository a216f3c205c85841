"""What a finished test says beyond its numbers: kinds of errors, calibration, recall by size, the worst pictures."""
from .detections import Detections, read_detections
from .errors import KINDS, error_shares, kinds_of_errors
from .measures import calibration, confusion, per_class, recall_by_size
from .report import write_report

__all__ = [
    'Detections', 'KINDS', 'calibration', 'confusion', 'error_shares', 'kinds_of_errors', 'per_class',
    'read_detections', 'recall_by_size', 'write_report'
]
