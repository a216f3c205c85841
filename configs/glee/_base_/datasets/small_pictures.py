# Test pictures of MiniWorld, 160 px: the entry takes the place of the step of its type.
small = dict(PillowResize=dict(type='PillowResize', scale=(10000, 160), keep_ratio=True))
