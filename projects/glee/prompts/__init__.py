"""Geometry of prompts, without any network."""
from .click_simulation import Click, ClickSimulator
from .marks import Mark, draw_rounds, warp_rounds
from .warping import warp_mask

__all__ = [
    'Click', 'ClickSimulator', 'Mark', 'draw_rounds', 'warp_mask', 'warp_rounds'
]
