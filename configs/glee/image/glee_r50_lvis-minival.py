# GLEE-Lite on LVIS minival.
_base_ = ['../_base_/models/glee_r50.py', '../_base_/benchmarks/lvis_minival.py', '../_base_/default_runtime.py']

model = dict(test_cfg=dict(max_per_img=300))
