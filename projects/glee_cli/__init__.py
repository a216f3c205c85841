"""The program ``glee``: find, segment, name and track objects from the command line.

It is a package beside ``projects.glee``, so that ``glee --help`` answers before anything heavy is imported.
"""
from .program import main

__all__ = ['main']
