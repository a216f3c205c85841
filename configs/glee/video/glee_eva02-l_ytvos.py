# Segmenting given objects on YouTube-VOS 2018 with GLEE-Pro.
_base_ = ['../_base_/models/glee_eva02-l_video.py', '../_base_/benchmarks/ytvos.py', '../_base_/default_runtime.py']

model = dict(tracker=dict(_delete_=True, **_base_.vos_tracker))
test_dataloader = dict(dataset=dict(pipeline=_base_.frames_square.objects))
