# Open-world segmentation on UVO frames: AR@100 of masks, whatever they are called.
_base_ = ['../datasets/image_test.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.uvo_frames_val)
test_evaluator = _base_.uvo_metric
test_cfg = dict()
