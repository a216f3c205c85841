# Long-tailed detection with federated annotations on MiniWorld's LVIS file.
_base_ = ['./glee_mini_stage2.py']

model = dict(test_cfg=dict(max_per_img=300))
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.lvis_val)
test_evaluator = _base_.lvis_metric
test_cfg = dict()
