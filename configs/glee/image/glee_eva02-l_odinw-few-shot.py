# GLEE-Pro fine-tuned on a few pictures of one set of ODinW, from a checkpoint (load_from), then tested on the set.
_base_ = [
    '../_base_/models/glee_eva02-l.py', '../_base_/fine_tunes/odinw_few_shot.py', '../_base_/datasets/lsj_1536.py',
    '../_base_/schedules/layer_decay_500k.py'
]

model = _base_.few_shot_model
train_dataloader = dict(
    dataset=dict(pipeline=[_base_.lsj.get(step.type, step) for step in _base_.train_dataloader.dataset.pipeline]))
val_dataloader = dict(
    dataset=dict(pipeline=[_base_.lsj.get(step.type, step) for step in _base_.val_dataloader.dataset.pipeline]))
test_dataloader = val_dataloader
optim_wrapper = dict(_delete_=True, **_base_.layer_decay_optim_wrapper)
