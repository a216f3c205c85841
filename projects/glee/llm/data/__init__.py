"""Data sets and transforms of dialogues about pictures and videos."""
from .ask_picture import AskReasonSeg
from .collate import collate_dialogues
from .reason_seg import ReasonSegDataset

__all__ = ['AskReasonSeg', 'ReasonSegDataset', 'collate_dialogues']
