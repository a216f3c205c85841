# Stage 2 of GLEE-Pro: joint training.
_base_ = [
    './_base_/models/glee_eva02-l.py', './_base_/stages/stage2.py', './_base_/datasets/lsj_1536.py',
    './_base_/schedules/layer_decay_500k.py'
]

train_dataloader = dict(
    dataset=dict(datasets=[
        dict(source, pipeline=[_base_.lsj.get(step.type, step) for step in source.pipeline])
        for source in _base_.train_dataloader.dataset.datasets
    ]))
val_dataloader = dict(
    dataset=dict(pipeline=[_base_.lsj.get(step.type, step) for step in _base_.val_dataloader.dataset.pipeline]))
test_dataloader = val_dataloader
optim_wrapper = dict(_delete_=True, **_base_.layer_decay_optim_wrapper)
param_scheduler = _base_.layer_decay_param_scheduler
