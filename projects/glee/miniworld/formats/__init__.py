"""MiniWorld's own writers of the real data sets' files."""
