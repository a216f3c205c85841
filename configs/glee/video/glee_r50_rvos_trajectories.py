# Sentences about motion too, on Ref-YouTube-VOS, with a checkpoint of glee_r50_trajectories.py.
_base_ = [
    '../_base_/models/glee_r50_video.py', '../_base_/benchmarks/rvos.py', '../_base_/default_runtime.py'
]

model = dict(
    trajectory_head=dict(type='TrajectoryHead'),
    tracker=dict(_delete_=True, type='TrajectoryTracker', max_candidates=30))
