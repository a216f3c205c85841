# Segmenting described objects on MiniWorld's Ref-YouTube-VOS.
_base_ = [
    './_base_/models/glee_mini_video.py', './_base_/datasets/rvos_test.py', './_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
outfile = 'work_dirs/glee_mini_rvos/masks'
model = dict(tracker=dict(_delete_=True, type='ExpressionTracker', temporal_weight=1.0))
test_dataloader = dict(**_base_.video_test, dataset=_base_.ref_ytvos_val)
test_evaluator = _base_.ref_ytvos_metric
test_cfg = dict()
