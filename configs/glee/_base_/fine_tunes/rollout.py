# What fine-tunes on simulated clicks share: the model meets its own mistakes. Backbone and text stay fixed; start from
# a checkpoint without the memory (load_from). Each config adds negative tokens and memory in its model's width.
load_ignore = [r'prompter\.(memory|dense)\.']
rollout_model = dict(
    backbone=dict(norm_eval=True),
    rollout=dict(type='InteractiveRollout', max_rounds=3, rule='seem'),
    data_preprocessor=dict(
        batch_augments=[
            dict(type='BatchVocabulary', size=100),
            dict(
                type='BatchPrompts',
                kinds=dict(mask=0.05, box=0.15, point=0.6, polygon=0.05, scribble=0.1, circle=0.05))
        ]))
# What stays, and what starts from nothing.
rollout_rates = {
    **{key: dict(lr_mult=0., decay_mult=0.)
       for key in ('backbone', 'text_encoder', 'text_encoder.text_model', 'token_embedding', 'position_embedding')},
    **{key: dict(lr_mult=20.) for key in ('prompter.memory', 'prompter.dense', 'prompter.sign_embed')}
}
