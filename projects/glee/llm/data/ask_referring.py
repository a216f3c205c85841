"""Referring expressions as dialogues."""
from typing import Optional

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from ...datasets.store.pictures import read_picture
from ...structures.masks import decode, to_rle
from ..dialogue import Turn
from . import templates
from .ask_picture import pack


@TRANSFORMS.register_module()
class AskReferring(BaseTransform):
    """The sentences of an item of RefCOCO, RefCOCO+ or RefCOCOg (``ReferDataset``, ``ReferringDataset``) as a dialogue
    of one turn each.

    Args:
        random_wording (bool): templates at random. In training.
        max_turns (int | None): this many sentences at most, drawn; None takes all in order.
    """

    def __init__(self, random_wording: bool = False, max_turns: Optional[int] = 3) -> None:
        self.random_wording, self.max_turns = random_wording, max_turns

    def transform(self, results: dict) -> dict:
        """``inputs`` and ``data_samples``, see ``ReasoningSegmentor``."""
        rng = np.random.default_rng(np.random.randint(2**31))
        picked = range(len(results['text']))
        if self.max_turns is not None:
            picked = rng.permutation(len(results['text']))[:self.max_turns].tolist()
        picture, wording = read_picture(results['img_path']), rng if self.random_wording else None
        turns = [Turn((*(() if number else (0, )), templates.put(results['text'][place], templates.NAMED, wording)),
                      templates.answer(wording), results['text'][place]) for number, place in enumerate(picked)]
        masks = [decode(to_rle(results['instances'][place]['mask'], *picture.shape[:2])) for place in picked]
        return pack([picture], turns, masks, [0] * len(turns), img_path=results['img_path'])
