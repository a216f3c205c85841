# GLEE-Pro on ODinW-13.
_base_ = [
    '../_base_/models/glee_eva02-l.py', '../_base_/benchmarks/odinw13.py', '../_base_/datasets/lsj_1536.py',
    '../_base_/default_runtime.py'
]

test_dataloader = dict(
    dataset=dict(datasets=[
        dict(part, pipeline=[_base_.lsj.get(step.type, step) for step in part.pipeline])
        for part in _base_.test_dataloader.dataset.datasets
    ]))
