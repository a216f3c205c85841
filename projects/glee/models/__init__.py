"""Registered models of GLEE."""
from .data_preprocessor import GLEEDataPreprocessor

__all__ = ['GLEEDataPreprocessor']
