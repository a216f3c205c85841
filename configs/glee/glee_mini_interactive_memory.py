# The interactive test of a model fine-tuned with glee_mini_rollout.
_base_ = ['./glee_mini_interactive.py']

model = dict(
    panoptic_head=dict(
        prompter=dict(negative_tokens=True, memory=dict(type='MemoryPrompt', num_tokens=32, num_heads=4))))
