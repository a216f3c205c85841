"""From an item of a data set of pictures to a dialogue."""
from typing import Optional, Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures import DetDataSample

from ...datasets.store.pictures import read_picture
from ..dialogue import Turn
from . import templates
from .reason_seg import IGNORED, draw_shapes


@TRANSFORMS.register_module()
class AskReasonSeg(BaseTransform):
    """The questions of an item of ``ReasonSegDataset`` as a dialogue of one turn each.

    Args:
        random_wording (bool): templates of questions and answers at random, and an explanation half of the times there
            is one; else always the first. In training.
        max_turns (int | None): this many of the questions at most, drawn and in random order; None takes all in order.
    """

    def __init__(self, random_wording: bool = False, max_turns: Optional[int] = None) -> None:
        self.random_wording, self.max_turns = random_wording, max_turns

    def transform(self, results: dict) -> dict:
        """``inputs`` and ``data_samples``, see ``ReasoningSegmentor``; samples also have ``ignored`` and ``kind``, both
        of the last question."""
        rng = np.random.default_rng(np.random.randint(2**31))
        picture, questions = read_picture(results['img_path']), results['questions']
        if self.max_turns is not None:
            questions = [questions[number] for number in rng.permutation(len(questions))[:self.max_turns]]
        turns, drawn = [], []
        for number, question in enumerate(questions):
            asked, said = self._word(question, rng if self.random_wording else None)
            turns.append(Turn((asked, ) if number else (0, asked), said, question['text']))
            drawn.append(draw_shapes(question['shapes'], *picture.shape[:2]))
        return pack([picture], turns, [one == 1 for one in drawn], [0] * len(turns), img_path=results['img_path'],
                    ignored=drawn[-1] == IGNORED, kind='long' if questions[-1]['is_sentence'] else 'short')

    @staticmethod
    def _word(question: dict, rng: Optional[np.random.Generator]) -> tuple[str, str]:
        """Question and answer in words."""
        explain = rng is not None and question['answer'] is not None and rng.random() < 0.5
        patterns = templates.NAMED
        if question['is_sentence']:
            patterns = templates.EXPLAINED if explain else templates.SENTENCE
        said = templates.answer(rng) + (f' {question["answer"]}' if explain else '')
        return templates.put(question['text'], patterns, rng), said


def pack(pictures: Sequence[np.ndarray], turns: Sequence[Turn], masks: Sequence[np.ndarray],
         seg_pictures: Sequence[int], ignored: Optional[np.ndarray] = None, **meta) -> dict:
    """A dialogue as ``ReasoningSegmentor`` takes it."""
    sample = DetDataSample(metainfo=dict(
        turns=list(turns), gt_masks=list(masks), seg_pictures=list(seg_pictures), ignored=ignored,
        ori_shape=pictures[-1].shape[:2], **meta))
    return dict(inputs=list(pictures), data_samples=sample)
