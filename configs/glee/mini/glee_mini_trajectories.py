# What the small model learns about motion: a head on boxes over time, trained on MiniWorld's Ref-YouTube-VOS.
_base_ = [
    '../_base_/models/glee_mini_video.py', '../_base_/fine_tunes/trajectories.py', '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
model = dict(**_base_.trajectory_model, trajectory_head=dict(type='TrajectoryHead', text_dims=64))
train_dataloader = dict(
    dataset=dict(datasets=[
        dict(source, data_root='data/miniworld/ref-youtube-vos/')
        for source in _base_.train_dataloader.dataset.datasets
    ]))
