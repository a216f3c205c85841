# GLEE-Lite on ODinW-13.
_base_ = ['../_base_/models/glee_r50.py', '../_base_/benchmarks/odinw13.py', '../_base_/default_runtime.py']
