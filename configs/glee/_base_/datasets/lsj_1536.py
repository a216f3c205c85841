# Augmentation of GLEE-Pro: large-scale jittering in a grey square of 1536 px, which is also the form of test images.
# Each entry takes the place of the steps of its type in the pipelines of image_sources.py.
lsj = dict(
    RandomApply=dict(type='RandomApply', prob=0.0, transforms=[dict(type='CropWindow')]),  # LSJ crops itself
    UnlessOrdinal=dict(
        type='UnlessOrdinal',
        transforms=[dict(type='RandomApply', prob=0.0, transforms=[dict(type='CropWindow')])]),
    RandomChoiceResize=dict(type='LargeScaleJitter', size=1536, ratio_range=(0.1, 2.0), pad_value=128),
    PillowResize=dict(
        type='Compose',
        transforms=[
            dict(type='PillowResize', scale=(1536, 1536), keep_ratio=True),
            dict(type='PadSquare', size=1536, pad_value=128)
        ]))
