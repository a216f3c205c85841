"""GLEE on mmdet: importing this package registers every component."""
from . import mmpretrain_package  # noqa: F401, I001  (before anything of mmdet)
from . import datasets, engine, evaluation, models, visualization  # noqa: F401
