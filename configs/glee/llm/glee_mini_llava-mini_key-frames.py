# Which frame shows an object best: a small LLaVA over a frozen mini GLEE says [SCORE] of a frame beside some of the
# whole video (GLUS's key-frame selection, with one model), and [SEG] as always. On MiniWorld's Ref-YouTube-VOS.
# 1. Masks alone, without which there is nothing to score: --cfg-options "train_dataloader.sampler.ratios=[1.0,0.0]"
# 2. How well its masks are on the training videos: tools/test.py with --cfg-options model.key_frames=None
#    test_dataloader.dataset.ann_file=train.json test_dataloader.dataset.data_prefix.img=train/JPEGImages/
#    test_evaluator.labels_file=work_dirs/key_frame_labels.json
# 3. This config, from the weights of 1: --cfg-options load_from=work_dirs/key_frame_masks/iter_400.pth
_base_ = ['./glee_mini_llava-mini_video.py']
model = dict(
    num_objects=8,
    use_image_tokens=False,  # a tower of random weights sees nothing of use
    object_masks=True,
    readout='objects',
    loss_weights=dict(_delete_=True, text=1.0, objects=2.0),
    memory=None,
    key_frames=dict(kind='llm', shown=4))

ref_ytvos = dict(
    type='ExpressionVideosDataset',
    data_root='data/miniworld/ref-youtube-vos/',
    ann_file='train.json',
    data_prefix=dict(img='train/JPEGImages/'))
train_dataloader = dict(
    batch_size=4,
    sampler=dict(_delete_=True, type='MixtureSampler', ratios=[1.0, 1.0], seed=0),
    dataset=dict(
        _delete_=True,
        type='MixtureDataset',
        datasets=[
            dict(**ref_ytvos, pipeline=[dict(type='AskVideo', expressions=2, random_wording=False)]),
            dict(
                **ref_ytvos,
                pipeline=[
                    dict(
                        type='AskKeyFrame',
                        labels='work_dirs/key_frame_labels.json',
                        shown=4,
                        dialogues=4,
                        least_spread=0.5)
                ])
        ]))
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **dict(ref_ytvos, ann_file='valid.json', data_prefix=dict(img='valid/JPEGImages/')),
        test_mode=True,
        pipeline=[dict(type='ShowVideo')]))
test_evaluator = dict(_delete_=True, type='FrameIoUMetric', prefix='ref_ytvos')

train_cfg = dict(max_iters=400)
default_hooks = dict(checkpoint=dict(interval=400))
