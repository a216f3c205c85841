# Result files on MiniWorld's pictures of COCO test-dev, whose objects no file tells.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/benchmarks/coco_test_dev.py', '../_base_/datasets/small_pictures.py',
    '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_dataloader = dict(
    dataset=dict(
        data_root='data/miniworld/coco/',
        pipeline=[_base_.small.get(step.type, step) for step in _base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(ann_file='data/miniworld/coco/annotations/image_info_test-dev2017.json')
