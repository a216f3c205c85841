# Sentences about motion too, on MiniWorld's Ref-YouTube-VOS, with a checkpoint of glee_mini_trajectories.py.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/rvos.py']

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
model = dict(
    trajectory_head=dict(type='TrajectoryHead', text_dims=64),
    tracker=dict(_delete_=True, type='TrajectoryTracker', max_candidates=30))
