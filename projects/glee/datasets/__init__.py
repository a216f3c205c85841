"""Registered datasets of GLEE."""
