# Stage 3: scaling up, 500k further iterations of stage 2 from its weights (load_from). The paper raises SA-1B to
# a ratio of 5.0 and adds GRIT at 5.0; their readers are not there yet.
_base_ = ['./stage2.py']
