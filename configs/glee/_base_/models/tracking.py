# What a model of any size needs for videos: the same weights and a tracker. A config merges it into its model.
# Text is not trained on videos, so that no teacher of distillation is built.
video_model = dict(
    type='GLEEVideo',
    data_preprocessor=dict(type='GLEEVideoDataPreprocessor'),
    panoptic_head=dict(
        text_encoder=dict(mode='frozen'),
        loss_selector=dict(type='DynamicLossSelector', disable=[])),  # 'tracking': the ablation without that loss
    tracker=dict(type='MinVISTracker', memory_length=3, max_candidates=100, max_per_video=30, in_memory_frames=10))
