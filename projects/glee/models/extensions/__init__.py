"""What no released GLEE has; each is off by default."""
from .fine_tuning import *  # noqa: F401, F403
from .from_scratch import *  # noqa: F401, F403
from .interactive import *  # noqa: F401, F403
from .trajectories import *  # noqa: F401, F403
