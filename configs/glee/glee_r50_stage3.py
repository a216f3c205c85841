# Stage 3 of GLEE-Lite: scaling up. The released weights: 400k iterations, decays at 300k and 380k.
_base_ = ['./_base_/models/glee_r50.py', './_base_/stages/stage3.py']
