# What GLEE-Lite learns about motion: a head on boxes over time, trained on the sentences of Ref-YouTube-VOS.
_base_ = [
    '../_base_/models/glee_r50_video.py', '../_base_/fine_tunes/trajectories.py', '../_base_/default_runtime.py'
]

model = dict(**_base_.trajectory_model, trajectory_head=dict(type='TrajectoryHead'))
train_cfg = dict(max_iters=6000)
