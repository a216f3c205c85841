# GLEE-Pro fine-tuned on the segmentation tracks of BDD100K.
_base_ = [
    '../_base_/models/glee_eva02-l_video.py', '../_base_/fine_tunes/bdd_mots.py', '../_base_/datasets/lsj_1536.py',
    '../_base_/schedules/layer_decay_500k.py'
]

warmup_start = 0.01
model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
clip_crop = dict(prob=0.0)  # LSJ crops itself
clip_resize = dict(_delete_=True, **_base_.lsj_clip_resize)
clip_window = dict(_delete_=True, **_base_.lsj_clip_window)
optim_wrapper = dict(_delete_=True, **_base_.layer_decay_optim_wrapper)
