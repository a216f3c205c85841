"""Registered models of GLEE."""
from .backbones import *  # noqa: F401, F403
from .data_preprocessors import *  # noqa: F401, F403
from .dense_heads import *  # noqa: F401, F403
from .detectors import *  # noqa: F401, F403
from .extensions import *  # noqa: F401, F403
from .language_models import *  # noqa: F401, F403
from .layers import *  # noqa: F401, F403
from .losses import *  # noqa: F401, F403
from .necks import *  # noqa: F401, F403
from .prompts import *  # noqa: F401, F403
from .seg_heads import *  # noqa: F401, F403
from .task_modules import *  # noqa: F401, F403
from .trackers import *  # noqa: F401, F403
