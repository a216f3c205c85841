"""How a question about what is sought is put, and how it is answered (B.2)."""
import numpy as np

NAMED = ('Can you segment the {} in this image?', 'Please segment the {} in this image.',
         'What is {} in this image? Please respond with segmentation mask.',
         'What is {} in this image? Please output segmentation mask.')
SENTENCE = ('{} Please respond with segmentation mask.', '{} Please output segmentation mask.')
EXPLAINED = ('{} Please output segmentation mask and explain why.',
             '{} Please output segmentation mask and explain the reason.')
FRAME = ('Can you segment the {} in this frame?', 'Please segment the {} in this frame.',
         'What is {} in this frame? Please respond with segmentation mask.',
         'What is {} in this frame? Please output segmentation mask.')
ANSWERS = ('It is [SEG].', 'Sure, [SEG].', 'Sure, it is [SEG].', 'Sure, the segmentation result is [SEG].', '[SEG].')
CONTEXT = 'Please finish the following tasks on the context frames above.'
FORCED = 'Sure, the segmentation result is '  # before the [SEG] of a frame of a video


def put(text: str, templates: tuple[str, ...], rng: np.random.Generator | None = None) -> str:
    """A question from one of the templates, the first without ``rng``; a leading 'the' is not doubled."""
    template = templates[0 if rng is None else int(rng.integers(len(templates)))]
    if 'the {}' in template:
        text = text.removeprefix('the ')
    return template.format(text)


def answer(rng: np.random.Generator | None = None) -> str:
    """An answer with one [SEG]; without ``rng`` the one that ends on it."""
    return ANSWERS[3 if rng is None else int(rng.integers(len(ANSWERS)))]
