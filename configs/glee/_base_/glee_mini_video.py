# Tests of the small model on MiniWorld's videos; frames keep their own short side of 160.
_base_ = ['./models/glee_mini.py', './datasets/video_sources.py', './default_runtime.py']

data_root = 'data/miniworld/'
model = dict(
    type='GLEEVideo',
    data_preprocessor=dict(type='GLEEVideoDataPreprocessor', prompt_simulator=dict(type='ClipPromptSimulator')),
    tracker=dict(type='MinVISTracker'))
resize_480 = dict(type='PillowResize', scale=(10000, 160), keep_ratio=True)
resize_640 = dict(type='PillowResize', scale=(10000, 160), keep_ratio=True)
resize_720 = dict(type='PillowResize', scale=(10000, 160), keep_ratio=True)
