# [SCORE] of key frames for glee_swin-l_llava-7b_video.py (GLUS's key-frame selection; its scorer is a second language
# model, here it is the same one): cross-entropy of [SCORE] and L1 of its score, 20 x 100 steps, 12 frames of the video
# and the asked one. Dialogues about masks are as many as those about scores, so that [SEG] is not forgotten; that
# mixture is ours. Labels: test a half-trained glee_swin-l_llava-7b_video.py (GLUS: after about half of its steps) on
# the training videos of MeViS and then of Ref-YouTube-VOS with
# test_evaluator=dict(type='FrameIoUMetric', labels_file=...). Start it from the trained one
# (load_from=.../iter_30000.pth). Other weights and memory as of that config; 13 frames make about as long a dialogue.
# Not trained by us: no number of it is ours.
_base_ = ['./glee_swin-l_llava-7b_video.py']
model = dict(contrastive=None, key_frames=dict(kind='llm', shown=12))
train_dataloader = dict(
    sampler=dict(ratios=[1.0, 1.0, 1.0, 1.0]),
    dataset=dict(
        datasets=[
            *_base_.train_dataloader.dataset.datasets,
            dict(
                type='MetaExpressionsDataset',
                data_root='data/mevis/train/',
                ann_file='meta_expressions.json',
                mask_file='mask_dict.json',
                data_prefix=dict(img='JPEGImages/'),
                pipeline=[dict(type='AskKeyFrame', labels='work_dirs/key_frame_labels_mevis.json', shown=12)]),
            dict(
                type='ExpressionVideosDataset',
                data_root='data/ref-youtube-vos/',
                ann_file='train.json',
                data_prefix=dict(img='train/JPEGImages/'),
                pipeline=[dict(type='AskKeyFrame', labels='work_dirs/key_frame_labels_ref_ytvos.json', shown=12)])
        ]))
test_evaluator = dict(type='FrameIoUMetric')
train_cfg = dict(max_iters=2000)
