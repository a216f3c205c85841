"""GLEE on mmdet: importing this package registers every component."""
from . import datasets, engine, evaluation, models, visualization  # noqa: F401
