# What all test sets of videos share: windows of frames through a test pipeline.
# '${...}' is filled in after --cfg-options, so data_root=... moves everything.
data_root = 'data/'
window = 10  # frames that are in memory at a time
resume_dir = None  # e.g. work_dirs/x/finished: a killed test goes on where it stopped
first_prompt = 'mask'  # what points at an object in its first frame: 'mask', 'point' or 'box'
outfile = None  # also write the submission file or folder of this name

# Released sizes: short side 480 for YouTube-VIS and LV-VIS, 640 for TAO, 720 for OVIS and BURST.
test_resize = dict(type='PillowResize', scale=(100000, 480), keep_ratio=True)
track_supervision = ('semantic', 'box', 'mask', 'track')

# a vocabulary
test_frames = [
    dict(
        type='ForEachFrame',
        transforms=[
            dict(type='LoadFrame'), '${test_resize}',
            dict(type='SetSource', source='test', supervision=track_supervision),
            dict(type='PackFrame', with_truth=True)
        ]),
    dict(type='PackClip')
]
# objects given in their first frame
prompted_test_frames = [
    dict(
        type='ForEachFrame',
        transforms=[
            dict(type='LoadFrame'),
            dict(type='FirstMaskPrompts', kind='${first_prompt}'), '${test_resize}',
            dict(type='WarpPrompts'),
            dict(type='SetSource', source='test', supervision=track_supervision),
            dict(type='PackFrame', with_truth=True)
        ]),
    dict(type='PackClip')
]
# sentences
expression_test_frames = [
    dict(
        type='ForEachFrame',
        transforms=[
            dict(type='LoadFrame'), '${test_resize}',
            dict(type='CleanExpressions'),
            dict(type='SetSource', source='test', supervision=track_supervision, text_mode='expression'),
            dict(type='PackFrame', with_truth=True)
        ]),
    dict(type='PackClip')
]

files = dict(outfile_prefix='${outfile}', resume_dir='${resume_dir}')
video_test = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=False,
    sampler=dict(type='WindowSampler', window='${window}', resume_dir='${resume_dir}'))
