# GLEE-Lite fine-tuned on a few pictures of one set of ODinW, from a checkpoint (load_from), then tested on the set.
_base_ = ['../_base_/models/glee_r50.py', '../_base_/fine_tunes/odinw_few_shot.py']

model = _base_.few_shot_model
