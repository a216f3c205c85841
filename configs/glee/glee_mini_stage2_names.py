# The small recipe with the same sources in another order: names for 3,600 batches, then mostly sentences.
# Better at names, attributes and references, worse at relations, at clicks among twins and at videos (README).
_base_ = ['./glee_mini_stage2.py']

max_iters = 6200
train_dataloader = dict(
    sampler=dict(ratios=[3, 1.3, 0.3, 0.5, 0.5, 0.4], later=[(3600 * 4, [0.8, 0.6, 0, 2.4, 0.5, 0.3])]))
