# Sentences about motion too, on MiniWorld's Ref-YouTube-VOS, with a checkpoint of glee_mini_trajectories.py.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/rvos.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(
    trajectory_head=dict(type='TrajectoryHead', text_dims=64),
    tracker=dict(_delete_=True, type='TrajectoryTracker', max_candidates=30))
test_dataloader = dict(dataset=dict(data_root='data/miniworld/ref-youtube-vos/', pipeline=_base_.frames_mini.sentences))
