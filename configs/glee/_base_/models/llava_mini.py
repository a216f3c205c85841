# A LLaVA small enough for a CPU, with random weights: nothing of it is frozen but its vision tower. Its tokenizer
# knows whole words, those of MiniWorld's questions and of the templates.
words = '''USER ASSISTANT : . ? ! , - Can you segment the in this image frame Please What is respond with output mask
segmentation and explain why reason Sure it It result finish following tasks on context frames above only shape shapes
that neither nor of all biggest smallest leftmost rightmost topmost bottommost a an not same color as what could roll
away looks like wheel without hole be tile floor four equal sides three corners roof house one sees sky clear night
five points wears finger marks place map plus sign stands for love beats chest moon shines thin at shows way
somewhere measures time sand runs through red green blue yellow cyan purple pink white solid striped dotted circle
square triangle star ring cross heart crescent arrow hourglass moves move left right up down stopped moving stays
still starts ends first second last to from other others small medium large closest which are left'''.split()

language_model = dict(
    type='LlavaAdapter',
    words=words,
    pooled=2,
    config=dict(
        vision_config=dict(
            image_size=56,
            patch_size=14,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=3,
            num_attention_heads=4,
            projection_dim=32),
        text_config=dict(
            hidden_size=128,
            intermediate_size=256,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=2048,
            initializer_range=0.09,  # the width to the power of -1/2: so narrow a model learns to choose sooner
            attention_dropout=0.0,
            tie_word_embeddings=False)))
