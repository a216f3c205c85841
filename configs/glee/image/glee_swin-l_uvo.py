# GLEE-Plus on UVO frames.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/uvo.py', '../_base_/default_runtime.py']
