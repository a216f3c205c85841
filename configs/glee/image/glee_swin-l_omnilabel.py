# GLEE-Plus on OmniLabel.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/omnilabel.py', '../_base_/default_runtime.py']

model = dict(test_cfg=dict(max_per_img=300))
