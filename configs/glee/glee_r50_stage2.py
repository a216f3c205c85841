# Stage 2 of GLEE-Lite: joint training. The released weights: 400k iterations, decays at 300k and 380k.
_base_ = ['./_base_/models/glee_r50.py', './_base_/stages/stage2.py']
