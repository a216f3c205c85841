# GLEE-Lite on the box tracks of BDD100K: fine-tuning and test.
_base_ = [
    '../_base_/models/glee_r50_video.py', '../_base_/fine_tunes/bdd_mot.py', '../_base_/benchmarks/bdd_mot.py',
    '../_base_/default_runtime.py'
]

model = dict(tracker=_base_.bdd_tracker)
