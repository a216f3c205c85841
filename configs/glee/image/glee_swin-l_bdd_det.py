# GLEE-Plus on detection of BDD100K.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/bdd_det.py', '../_base_/default_runtime.py']
