"""Registered evaluation of GLEE."""
