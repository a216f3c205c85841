"""Annotation files: streamed, checked, kept as memory-mapped records."""
