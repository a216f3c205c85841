# Stage 2 of GLEE-Plus: joint training. The released weights: 450k iterations, decays at 360k and 420k.
_base_ = ['./_base_/models/glee_swin-l.py', './_base_/stages/stage2.py']
