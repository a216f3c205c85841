# Free descriptions of no, one or several objects, in the layout of OmniLabel: seven columns.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/benchmarks/omnilabel.py', '../_base_/datasets/small_pictures.py',
    '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/miniworld/omnilabel/',
        pipeline=[_base_.small.get(step.type, step) for step in _base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(ann_file='data/miniworld/omnilabel/dataset_all_val_v0.1.3.json')
