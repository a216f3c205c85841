# The interactive test of a model fine-tuned with glee_mini_rollout: memory, negative tokens, points that are obeyed.
_base_ = ['./glee_mini_interactive.py']

model = dict(
    panoptic_head=dict(
        prompter=dict(
            negative_tokens=True,
            memory=dict(type='MemoryPromptEncoder', num_tokens=32, num_heads=4),
            dense=dict(type='MaskFeatureRefiner', hidden_dims=32))))
test_cfg = dict(predictor=dict(carve_radius=0.025))
