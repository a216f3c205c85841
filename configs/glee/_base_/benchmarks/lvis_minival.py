# LVIS minival, the images of LVIS val that are in COCO val2017.
_base_ = ['../datasets/image_test.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.lvis_minival)
test_evaluator = [_base_.lvis_minival_metric, _base_.lvis_minival_fixed_metric]
test_cfg = dict()
