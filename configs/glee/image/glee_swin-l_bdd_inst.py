# GLEE-Plus on instance segmentation of BDD100K.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/bdd_inst.py', '../_base_/default_runtime.py']
