# GLEE-Lite on instance segmentation of BDD100K.
_base_ = ['../_base_/models/glee_r50.py', '../_base_/benchmarks/bdd_inst.py', '../_base_/default_runtime.py']
