# Augmentation of GLEE-Pro, to take the place of the variables of image_sources.py: large-scale jittering
# in a grey square of 1536 px, which is also the form of test images.
lsj_crop_augment = dict(type='RandomApply', prob=0.0, transforms=[dict(type='CropWindow')])  # LSJ crops itself
lsj_resize_augment = dict(type='LargeScaleJitter', size=1536, ratio_range=(0.1, 2.0), pad_value=128)
lsj_test_resize = dict(
    type='Compose',
    transforms=[
        dict(type='PillowResize', scale=(1536, 1536), keep_ratio=True),
        dict(type='PadSquare', size=1536, pad_value=128)
    ])

# Clips: one scale for all frames, a window of its own for each of them.
lsj_clip_resize = dict(type='JitterScale', size=1536, ratio_range=(0.1, 2.0))
lsj_clip_window = dict(type='FitSquare', size=1536, pad_value=128)
