"""Registered models of GLEE."""
