# Detection on MiniWorld's Objects365 file.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/benchmarks/objects365.py', '../_base_/datasets/small_pictures.py',
    '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_dataloader = dict(
    dataset=dict(
        data_root='data/miniworld/Objects365V2/',
        pipeline=[_base_.small.get(step.type, step) for step in _base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(ann_file='data/miniworld/Objects365V2/annotations/zhiyuan_objv2_val_new.json')
