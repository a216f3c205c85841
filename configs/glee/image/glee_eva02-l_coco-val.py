# GLEE-Pro on COCO val.
_base_ = [
    '../_base_/models/glee_eva02-l.py', '../_base_/benchmarks/coco_val.py', '../_base_/datasets/lsj_1536.py',
    '../_base_/default_runtime.py'
]

test_dataloader = dict(
    dataset=dict(pipeline=[_base_.lsj.get(step.type, step) for step in _base_.test_dataloader.dataset.pipeline]))
