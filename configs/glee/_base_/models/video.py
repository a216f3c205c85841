# What a video model adds to an image model of any size; put it after the model's own file.
model = dict(
    type='GLEEVideo',
    data_preprocessor=dict(type='GLEEVideoDataPreprocessor', prompt_simulator=dict(type='ClipPromptSimulator')),
    tracker=dict(type='MinVISTracker', memory_length=3, max_candidates=100, max_per_video=30, in_memory_frames=10))
