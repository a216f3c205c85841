# The small model on videos: the same weights and a tracker.
_base_ = ['./glee_mini.py']

model = dict(
    type='GLEEVideo',
    data_preprocessor=dict(type='GLEEVideoDataPreprocessor', prompt_simulator=dict(type='ClipPromptSimulator')),
    tracker=dict(type='MinVISTracker', max_candidates=30))
