"""What an object does, from its boxes over time."""
from .glee_trajectories import GLEETrajectories
from .trajectory_head import TrajectoryHead
from .trajectory_tracker import TrajectoryTracker

__all__ = [
    'GLEETrajectories', 'TrajectoryHead', 'TrajectoryTracker'
]
