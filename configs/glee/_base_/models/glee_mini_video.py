# The small model on videos: it has 30 queries, so every track is a candidate.
_base_ = ['./glee_mini.py', './tracking.py']

model = dict(_base_.video_model, tracker=dict(_base_.video_model.tracker, max_candidates=30))
