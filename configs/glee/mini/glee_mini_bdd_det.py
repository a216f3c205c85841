# Detection on MiniWorld's BDD100K.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/benchmarks/bdd_det.py', '../_base_/datasets/small_pictures.py',
    '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_dataloader = dict(
    dataset=dict(
        data_root='data/miniworld/bdd100k/',
        pipeline=[_base_.small.get(step.type, step) for step in _base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(ann_file='data/miniworld/bdd100k/labels/det_20/det_val_cocofmt.json')
