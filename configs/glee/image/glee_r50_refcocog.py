# GLEE-Lite on RefCOCOg.
_base_ = ['../_base_/models/glee_r50.py', '../_base_/benchmarks/refcocog.py', '../_base_/default_runtime.py']
