"""Data sets and transforms of dialogues about pictures and videos."""
from .ask_picture import AskReasonSeg
from .ask_referring import AskReferring
from .collate import collate_dialogues
from .reason_seg import ReasonSegDataset

__all__ = ['AskReasonSeg', 'AskReferring', 'ReasonSegDataset', 'collate_dialogues']
