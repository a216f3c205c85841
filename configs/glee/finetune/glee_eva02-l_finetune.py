# GLEE-Pro fine-tuned on your own COCO file, in the square of 1536 px that it needs.
_base_ = [
    '../_base_/models/glee_eva02-l.py', '../_base_/fine_tunes/own_data.py', '../_base_/datasets/lsj_1536.py',
    '../_base_/schedules/layer_decay_500k.py'
]

model = _base_.own_model
train_dataloader = dict(
    dataset=dict(pipeline=[_base_.lsj.get(step.type, step) for step in _base_.train_dataloader.dataset.pipeline]))
val_dataloader = dict(
    dataset=dict(pipeline=[_base_.lsj.get(step.type, step) for step in _base_.val_dataloader.dataset.pipeline]))
test_dataloader = val_dataloader
own_sentences = dict(
    train=dict(pipeline=[_base_.lsj.get(step.type, step) for step in _base_.own_sentences.train.pipeline]),
    val=dict(pipeline=[_base_.lsj.get(step.type, step) for step in _base_.own_sentences.val.pipeline]))
optim_wrapper = dict(
    _delete_=True, **dict(_base_.layer_decay_optim_wrapper, clip_grad=_base_.optim_wrapper.clip_grad))
train_cfg = dict(max_iters=2000, val_interval=500)
