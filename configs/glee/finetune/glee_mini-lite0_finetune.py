# The small model with a backbone that knows photographs, fine-tuned on your own COCO file, on a CPU.
_base_ = ['./glee_mini_finetune.py', '../_base_/models/lite0_backbone.py']

model = _base_.with_lite0
