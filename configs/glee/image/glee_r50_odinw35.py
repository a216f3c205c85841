# GLEE-Lite on ODinW-35.
_base_ = ['../_base_/models/glee_r50.py', '../_base_/benchmarks/odinw35.py', '../_base_/default_runtime.py']
