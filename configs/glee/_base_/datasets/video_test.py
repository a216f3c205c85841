# What all test sets of videos share: windows of frames through a pipeline of their size and kind.


def frames(resize):
    """Pipelines of windows of frames for a vocabulary, for objects given in their first frame and for sentences."""

    def pipeline(*prepare, **marks):
        return [
            dict(
                type='ForEachFrame',
                transforms=[
                    dict(type='LoadFrame'), *prepare,
                    dict(
                        type='SetSource', source='test', supervision=('semantic', 'box', 'mask', 'track'), **marks),
                    dict(type='PackFrame', with_truth=True)
                ]),
            dict(type='PackClip')
        ]

    return dict(
        names=pipeline(resize),
        # kind: 'mask', 'point' or 'box' points at an object
        objects=pipeline(dict(type='FirstMaskPrompts', kind='mask'), resize, dict(type='WarpPrompts')),
        sentences=pipeline(resize, dict(type='CleanExpressions'), text_mode='expression'))


# Released sizes: short side 480 for YouTube-VIS and LV-VIS, 640 for TAO, 720 for OVIS and BURST.
frames_480 = frames(dict(type='PillowResize', scale=(100000, 480), keep_ratio=True))
frames_640 = frames(dict(type='PillowResize', scale=(10000, 640), keep_ratio=True))
frames_720 = frames(dict(type='PillowResize', scale=(1280, 720), keep_ratio=True))
frames_800 = frames(dict(type='PillowResize', scale=(1333, 800), keep_ratio=True))
# GLEE-Pro has a grey square, whatever the benchmark; MiniWorld's frames are small.
frames_square = frames(
    dict(
        type='Compose',
        transforms=[
            dict(type='PillowResize', scale=(1536, 1536), keep_ratio=True),
            dict(type='PadSquare', size=1536, pad_value=128)
        ]))
frames_mini = frames(dict(type='PillowResize', scale=(10000, 160), keep_ratio=True))

# A name without a folder is one in the work folder. resume_dir, e.g. work_dirs/x/finished: a killed test goes on
# where it stopped.
files = dict(outfile_prefix='results', resume_dir=None)
mask_files = dict(outfile_prefix='masks', resume_dir=None)
video_test = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='WindowSampler', window=10, resume_dir=None))  # window: frames in memory at a time
