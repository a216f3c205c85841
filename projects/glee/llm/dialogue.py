"""Dialogues about pictures as tokens."""
from typing import NamedTuple, Optional, Sequence, Union

import torch
from torch import Tensor

from .adapters import ImageTextModel
from .losses import IGNORED


class PointedObject(NamedTuple):
    """An object that a question points at: its query (C,), box (4,) cxcywh in 0..1, and mask embedding (C,)."""
    query: Tensor
    box: Tensor
    mask_embed: Tensor


class Turn(NamedTuple):
    """A question and its answer.

    asked: texts, numbers of pictures that are shown, and objects that are pointed at, in reading order.
    answer: None where the model is to answer; a text that ends without the end token may be continued.
    sought: what is sought, without the words of a template; None where the question has none.
    """
    asked: tuple[Union[str, int, PointedObject], ...]
    answer: Optional[str] = None
    sought: Optional[str] = None


class Tokens(NamedTuple):
    """A dialogue as tokens: ids (L,), labels (L,) that are ``IGNORED`` where nothing is learned; ``pictures`` numbers
    of pictures and ``objects`` what stands at the object tokens (a picture's number for all of its objects), both in
    reading order."""
    ids: Tensor
    labels: Tensor
    pictures: tuple[int, ...]
    objects: tuple[Union[int, PointedObject], ...]


def sought_in(turns: Sequence[Turn], pictures: int) -> list[str]:
    """What is sought in each of some pictures by the turn that shows it; '' in one that none shows."""
    found = [''] * pictures
    for turn in turns:
        sought = words_of(turn.asked) if turn.sought is None else turn.sought
        for piece in turn.asked:
            if isinstance(piece, int):
                found[piece] = sought
    return found


def words_of(pieces: Sequence[Union[str, int, PointedObject]]) -> str:
    """The texts of a question."""
    return ' '.join(piece for piece in pieces if isinstance(piece, str))


def tokenize(model: ImageTextModel, turns: Sequence[Turn], picture_tokens: Sequence[int], num_objects: int,
             open_answer: bool = False, ce_on: str = 'answer') -> Tokens:
    """Tokens of a dialogue.

    Args:
        model (ImageTextModel): whose template and tokenizer are used.
        turns (Sequence[Turn]): the last one may lack an answer.
        picture_tokens (Sequence[int]): tokens of each picture; 0 shows only its objects.
        num_objects (int): object tokens of each picture.
        open_answer (bool): the last answer is a beginning, which is to be continued.
        ce_on (str): 'answer' learns all of the answers, 'seg' only their [SEG] and [SCORE].

    Raises:
        ValueError: ``ce_on`` is unknown, or an answer is missing before the last turn.
    """
    if ce_on not in ('answer', 'seg'):
        raise ValueError(f"ce_on={ce_on!r} must be 'answer' or 'seg'")
    ids, labels, pictures, objects = [], [], [], []

    def say(tokens: Sequence[int], learn: bool = False) -> None:
        ids.extend(tokens)
        labels.extend(token if learn and (ce_on == 'answer' or token in (model.seg_id, model.score_id)) else IGNORED
                      for token in tokens)

    if model.tokenizer.bos_token_id is not None:
        say([model.tokenizer.bos_token_id])
    for number, turn in enumerate(turns):
        say(model.encode_text((model.turn_gap if number else '') + model.user_prefix))
        for piece in turn.asked:
            if isinstance(piece, str):
                say(model.encode_text(piece))
            elif isinstance(piece, PointedObject):
                say([model.object_id])
                objects.append(piece)
            else:
                if picture_tokens[piece]:
                    say([*model.encode_text(model.picture_prefix), *[model.image_id] * picture_tokens[piece],
                         *model.encode_text(model.picture_suffix)])
                    pictures.append(piece)
                if num_objects:
                    say([*model.encode_text('\n'), *[model.object_id] * num_objects])
                    objects.append(piece)
                say(model.encode_text('\n'))
        say(model.encode_text(model.user_suffix))
        if turn.answer is None and number + 1 < len(turns):
            raise ValueError(f'turn {number} of {len(turns)} has no answer; only the last one may lack it')
        if turn.answer is not None:
            say(model.encode_text(turn.answer), learn=True)
            if not (open_answer and number + 1 == len(turns)):
                say([model.end_id], learn=True)
    return Tokens(torch.tensor(ids), torch.tensor(labels), tuple(pictures), tuple(objects))
