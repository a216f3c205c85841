# GLEE-Pro on the sentences of Ref-YouTube-VOS: fine-tuning and test.
_base_ = [
    '../_base_/models/glee_eva02-l_video.py', '../_base_/fine_tunes/rvos.py', '../_base_/benchmarks/rvos.py',
    '../_base_/schedules/layer_decay_500k.py', '../_base_/default_runtime.py'
]

model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
train_dataloader = dict(
    dataset=dict(datasets=[
        dict(source, pipeline=[*source.pipeline[:2], *_base_.clips_square.sentences])
        for source in _base_.train_dataloader.dataset.datasets
    ]))
test_dataloader = dict(dataset=dict(pipeline=_base_.frames_square.sentences))
optim_wrapper = dict(_delete_=True, **_base_.layer_decay_optim_wrapper)
param_scheduler = [dict(_base_.param_scheduler[0], start_factor=0.01), _base_.param_scheduler[1]]
