# Referring comprehension and segmentation on MiniWorld's RefCOCO files: testA has attribute
# expressions only, testB relational ones only.
_base_ = ['./glee_mini_stage2.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='MixtureDataset', datasets=_base_.refcoco_test))
test_evaluator = _base_.refcoco_metric
test_cfg = dict()
