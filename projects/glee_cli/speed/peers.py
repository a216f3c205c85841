"""Models of other packages that are timed beside ours: random weights of the published architecture, no download."""
from typing import Callable, Sequence

import torch

from .jobs import Setting, names_of, picture_of

_START, _END, _DOT, _FIRST_WORD = 101, 102, 1012, 2000  # of BERT's vocabulary
_STRIDES = (8, 16, 32, 64)


def caption_ids(names: Sequence[str], most: int = 256) -> list[int]:
    """Token numbers of the caption "name. name." for BERT, one a word: which one makes no difference to the time.

    Args:
        names: they have the words of a caption.
        most: tokens that the model reads.

    Raises:
        ValueError: the caption is longer.
    """
    found = [_START]
    for name in names:
        found += [_FIRST_WORD + position for position in range(len(name.split()))] + [_DOT]
    found.append(_END)
    if len(found) > most:
        raise ValueError(f'Grounding DINO reads {most} tokens, and {len(names)} names have {len(found)}: give fewer '
                         '--texts, or leave out --beside')
    return found


def grounding_dino(setting: Setting, device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    """Grounding DINO-T of transformers on one picture: names are read in each call; boxes are found, and no masks.

    Raises:
        ValueError: more names than it can read.
    """
    ids = torch.tensor([caption_ids(names_of(setting.texts))], device=device)
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection
    height, width = setting.size
    places = sum(-(-height // stride) * -(-width // stride) for stride in _STRIDES)
    config = GroundingDinoConfig(num_queries=min(900, places))  # all else as published: Swin-T and BERT
    model = GroundingDinoForObjectDetection(config).eval().to(device, dtype)
    picture = torch.from_numpy(picture_of(setting.size).transpose(2, 0, 1).copy())[None].to(device, dtype) / 255

    def call() -> object:
        with torch.no_grad():
            return model(pixel_values=picture, input_ids=ids)

    return call


PEERS = {'grounding-dino': grounding_dino}
