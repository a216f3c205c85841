"""GLEE on mmdet: importing this package registers every component and changes nothing else."""
try:
    import mmdet.models
except TypeError:
    # Beside torchvision and transformers 5, importing mmpretrain.models raises it where mmdet expects an
    # ImportError. What mmdet wants of it is in sys.modules by now, so that a second attempt succeeds.
    import mmdet.models  # noqa: F401

from . import datasets, engine, evaluation, models, visualization  # noqa: F401
