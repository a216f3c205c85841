# Tracking masks of road users on BDD100K with GLEE-Plus.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/benchmarks/bdd_mots.py']

model = dict(tracker=_base_.bdd_tracker)
