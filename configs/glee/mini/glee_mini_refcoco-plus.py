# Referring comprehension and segmentation on MiniWorld's RefCOCO+ files.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/benchmarks/refcoco_plus.py', '../_base_/datasets/small_pictures.py',
    '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_dataloader = dict(
    dataset=dict(datasets=[
        dict(
            part,
            data_root='data/miniworld/coco/',
            pipeline=[_base_.small.get(step.type, step) for step in part.pipeline])
        for part in _base_.test_dataloader.dataset.datasets
    ]))
