"""Registered data sets of GLEE."""
from .image import *  # noqa: F401, F403
from .mixture import Draw, MixtureDataset  # noqa: F401
from .samplers import *  # noqa: F401, F403
from .transforms import *  # noqa: F401, F403
from .video import *  # noqa: F401, F403
from .vocabularies import *  # noqa: F401, F403
