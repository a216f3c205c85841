"""Geometry of prompts, without any network."""
from .click_simulation import Click, ClickSimulator

__all__ = [
    'Click', 'ClickSimulator'
]
