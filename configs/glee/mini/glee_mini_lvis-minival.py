# LVIS minival on MiniWorld. Write its file first: python tools/dataset_converters/lvis_minival.py
# data/miniworld/lvis/lvis_v1_val.json data/miniworld/lvis/lvis_v1_minival_inserted_image_name.json
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/benchmarks/lvis_minival.py', '../_base_/datasets/small_pictures.py',
    '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
model = dict(test_cfg=dict(max_per_img=300))
test_dataloader = dict(
    dataset=dict(
        data_root='data/miniworld/',
        pipeline=[_base_.small.get(step.type, step) for step in _base_.test_dataloader.dataset.pipeline]))
test_evaluator = [
    dict(metric, ann_file='data/miniworld/lvis/lvis_v1_minival_inserted_image_name.json')
    for metric in _base_.test_evaluator
]
