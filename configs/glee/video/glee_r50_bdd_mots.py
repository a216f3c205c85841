# Tracking masks of road users on BDD100K with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/bdd_mots.py']

model = dict(tracker=_base_.bdd_tracker)
