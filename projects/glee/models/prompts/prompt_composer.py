"""Which query is the prompted object, from everything the prompts say about it."""
from typing import NamedTuple

import torch
from mmdet.registry import TASK_UTILS
from torch import Tensor

MODES = ('joint', 'priority')
SELECT = ('confidence', 'object_text')
SPACES = ('mask', 'name')
REFERENCES = ('tokens', 'name')


class PromptEvidence(NamedTuple):
    """What each of Q queries of one prompted object has in its favour; None where nothing was given.

    ``visual``: probability (Q,) that the query is what is pointed at. ``reference``: cosine (Q,) with
    the object of a referring image. ``text``: probability (Q,) of the expression.
    ``positive``, ``negative``: mean mask probability (Q,) at the pixels of each sign, given if there are
    negative pixels, the positive one also if ``pos_weight`` asks for it. ``previous``: IoU (Q,) with the mask of
    the round before.
    """
    visual: Tensor | None = None
    reference: Tensor | None = None
    text: Tensor | None = None
    positive: Tensor | None = None
    negative: Tensor | None = None
    previous: Tensor | None = None


@TASK_UTILS.register_module()
class PromptComposer:
    """Scores the queries of a prompted object.

    'joint' takes the geometric mean of the modalities that were given, which are the visual
    probability, the text probability and ``((1 + cosine) / 2) ** reference_power`` of a reference. 'priority'
    asks one modality only, in SEEM's order: visual, reference, text; the visual one where the object has pixels of its
    own, while 'joint' takes it for a reference, too. Negative pixels add
    ``neg_weight`` x (mean mask probability at positive - at negative pixels): they help to choose another
    query, they cannot carve a mask. ``pos_weight`` x (mean mask probability at positive pixels) holds without
    negative ones too: an object covers what points at it. The mask of the round before adds ``prev_weight`` x IoU.

    Args:
        mode (str): 'joint' or 'priority'.
        select (str): what the visual probability is: 'confidence', of the confidence head (GLEE paper
            section 3.1), or 'object_text', the best class probability (the released demo).
        neg_weight (float): weight of the sign term.
        prev_weight (float): weight of staying with the previous mask.
        pos_weight (float): weight of covering the positive pixels; 0 in the released models.
        reference_space (str): which cosine with a reference: 'mask', of the mask embedding with the mean mask
            feature there (SEEM), or 'name', of what names are compared with, which knows looks but not places.
        reference_power (float): how much the cosine counts beside the other modalities.
        reference_as (str): what a reference without pixels and text is to the decoder: 'tokens', the points of its
            picture (SEEM), with the confidence as the visual probability; or 'name', a vocabulary of one name, with
            the probability of that name as the text's. Both ways the pixels read its template.
    """

    def __init__(self, mode: str = 'joint', select: str = 'confidence', neg_weight: float = 1.0,
                 prev_weight: float = 0.25, pos_weight: float = 0., reference_space: str = 'mask',
                 reference_power: float = 1., reference_as: str = 'tokens') -> None:
        for key, value, choices in (('mode', mode, MODES), ('select', select, SELECT),
                                    ('reference_space', reference_space, SPACES),
                                    ('reference_as', reference_as, REFERENCES)):
            if value not in choices:
                raise ValueError(f'PromptComposer got {key}={value!r}; choose from {choices}')
        self.mode = mode
        self.select = select
        self.neg_weight = neg_weight
        self.prev_weight = prev_weight
        self.pos_weight = pos_weight
        self.reference_space = reference_space
        self.reference_power = reference_power
        self.reference_as = reference_as

    def visual_probability(self, confidence: Tensor, logits: Tensor) -> Tensor:
        """Probability (..., Q) from confidence logits (..., Q, 1) and class logits (..., Q, C)."""
        chosen = confidence if self.select == 'confidence' else logits
        return chosen.float().sigmoid().amax(-1)

    def modalities(self, evidence: PromptEvidence) -> Tensor:
        """Probability (Q,) of the modalities, without signs and history."""
        reference = evidence.reference
        if reference is not None:
            reference = ((1 + reference) / 2)**self.reference_power
        given = [evidence.visual, reference, evidence.text]
        given = [score for score in given if score is not None]
        if not given:
            raise ValueError('an object needs a visual prompt, a reference or a text to be chosen by')
        if self.mode == 'priority' or len(given) == 1:
            return given[0]
        return torch.stack(given).clamp(min=1e-12).log().mean(0).exp()

    def __call__(self, evidence: PromptEvidence) -> Tensor:
        """Score (Q,) by which the query is chosen."""
        score = self.modalities(evidence)
        if evidence.negative is not None:
            positive = 0. if evidence.positive is None else evidence.positive
            score = score + self.neg_weight * (positive - evidence.negative)
        if self.pos_weight and evidence.positive is not None:
            score = score + self.pos_weight * evidence.positive
        if evidence.previous is not None:
            score = score + self.prev_weight * evidence.previous
        return score
