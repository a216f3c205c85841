# GLEE-Pro on panoptic segmentation of COCO val; the paper has no such table, and the released weights saw no stuff.
_base_ = [
    '../_base_/models/glee_eva02-l.py', '../_base_/benchmarks/panoptic.py', '../_base_/datasets/lsj_1536.py',
    '../_base_/default_runtime.py'
]

test_dataloader = dict(
    dataset=dict(pipeline=[_base_.lsj.get(step.type, step) for step in _base_.test_dataloader.dataset.pipeline]))
