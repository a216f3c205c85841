# AR@100 of masks on MiniWorld's UVO frames.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/benchmarks/uvo.py', '../_base_/datasets/small_pictures.py',
    '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_dataloader = dict(
    dataset=dict(
        data_root='data/miniworld/UVO/',
        pipeline=[_base_.small.get(step.type, step) for step in _base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(ann_file='data/miniworld/UVO/annotations/FrameSet/UVO_frame_val_onecate.json')
