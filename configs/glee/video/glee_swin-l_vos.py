# GLEE-Plus fine-tuned on given objects: YouTube-VOS and four VIS sets, every clip with a prompt; tested on DAVIS 2017.
_base_ = [
    '../_base_/models/glee_swin-l_video.py', '../_base_/fine_tunes/vos.py', '../_base_/benchmarks/vos.py',
    '../_base_/default_runtime.py'
]

model = dict(tracker=dict(_delete_=True, **_base_.vos_tracker))
