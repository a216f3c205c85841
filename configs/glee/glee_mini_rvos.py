# Segmenting described objects through MiniWorld's Ref-YouTube-VOS videos.
_base_ = ['./_base_/glee_mini_video.py']

outfile = 'work_dirs/glee_mini_rvos/masks'
model = dict(tracker=dict(_delete_=True, type='ExpressionTracker', temporal_weight=1.0))
test_dataloader = dict(**_base_.video_test, dataset=_base_.ref_ytvos_val)
test_evaluator = _base_.ref_ytvos_metric
test_cfg = dict()
