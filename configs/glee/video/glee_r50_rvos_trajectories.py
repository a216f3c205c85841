# Sentences about motion too, on Ref-YouTube-VOS, with a checkpoint of glee_r50_trajectories.py.
_base_ = ['./glee_r50_rvos.py']

model = dict(
    trajectory_head=dict(type='TrajectoryHead'),
    tracker=dict(_delete_=True, type='TrajectoryTracker', max_candidates=30))
