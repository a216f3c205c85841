# GLEE-Lite on videos: the same weights and a tracker.
_base_ = ['./glee_r50.py']

model = dict(
    type='GLEEVideo',
    data_preprocessor=dict(type='GLEEVideoDataPreprocessor', prompt_simulator=dict(type='ClipPromptSimulator')),
    tracker=dict(type='MinVISTracker', memory_length=3, max_candidates=100, max_per_video=30, in_memory_frames=10))
