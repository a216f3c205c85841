# Stage 2 with visual prompts: a share of the batches with masks points at one object per image. All
# kinds of prompt are simulated, where the paper's recipe has masks, boxes and points.
_base_ = ['./glee_mini_stage2.py']

prompt_prob = 0.4

model = dict(
    data_preprocessor=dict(
        prompt_simulator=dict(
            type='PromptSimulator',
            kinds=dict(mask=0.2, box=0.2, point=0.3, polygon=0.1, scribble=0.15, circle=0.05))),
    # A picture of MiniWorld is 160 px high: a template of the released 256 px would cost more than it.
    panoptic_head=dict(prompter=dict(template_size=64)))
