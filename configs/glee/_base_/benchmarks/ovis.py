# Video instance segmentation under occlusion on OVIS.
_base_ = ['../datasets/vis_test.py', '../default_runtime.py']

test_resize = dict(scale=(1280, 720))
outfile = '${work_dir}/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.ovis_val)
test_evaluator = _base_.ovis_metric
test_cfg = dict()
