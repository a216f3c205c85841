# Detection on MiniWorld's OpenImages file.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/benchmarks/openimages.py', '../_base_/datasets/small_pictures.py',
    '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_dataloader = dict(
    dataset=dict(
        data_root='data/miniworld/openimages/',
        pipeline=[_base_.small.get(step.type, step) for step in _base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(ann_file='data/miniworld/openimages/openimages_v6_val_bbox_splitdir.json')
