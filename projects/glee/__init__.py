"""GLEE on mmdet: importing this package registers every component and changes nothing else."""
import contextlib
import io
import warnings

# mmdet prints and warns at its import that two optional packages are missing, which nobody here needs to read.
with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
    warnings.filterwarnings('ignore', message='faster_coco_eval is not installed')
    try:
        import mmdet.models
    except TypeError:
        # Beside torchvision and transformers 5, importing mmpretrain.models raises it where mmdet expects an
        # ImportError. What mmdet wants of it is in sys.modules by now, so that a second attempt succeeds.
        import mmdet.models  # noqa: F401
    import mmdet.datasets
    import mmdet.evaluation  # noqa: F401

from . import datasets, engine, evaluation, models, visualization  # noqa: E402, F401
