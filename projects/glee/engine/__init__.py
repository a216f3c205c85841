"""Registered engine of GLEE."""
