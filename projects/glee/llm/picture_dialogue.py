"""A dialogue about a picture: questions, answers, and the objects that the answers point at."""
from dataclasses import replace
from typing import Callable, Iterator, Optional, Sequence, Union

import numpy as np
import torch

from ..apis.image_result import ImageResult
from ..structures.masks import encode
from .dialogue import PointedObject, Turn, words_of
from .generation import Said
from .object_encoder import PictureObjects
from .pointing import object_at, pieces_of
from .reader import Seen
from .reasoning_segmentor import Answer, ReasoningSegmentor, mask_boxes


class PictureDialogue:
    """Questions about one picture, one after the other; objects of earlier answers can be pointed at.

    Example:
        >>> dialogue = glee.open_dialogue('kitchen.jpg')
        >>> first = dialogue.ask('what would burn me?')
        >>> first.text, first.names, first.masks
        >>> dialogue.ask('what lies beside {1}?')  # the first object of the dialogue

    Args:
        model (ReasoningSegmentor): in eval mode.
        picture (np.ndarray): RGB uint8 (H, W, 3).
        path (str | None): its file.
        names (Sequence[str] | None): what its objects may be called; None takes the names that the language model was
            trained over.
        max_rounds (int): rounds that the model remembers; older ones are forgotten as a whole.

    Attributes:
        objects (list[PointedObject | None]): of all answers so far, in order; None where GLEE has no such object.
    """

    def __init__(self, model: ReasoningSegmentor, picture: np.ndarray, path: Optional[str] = None,
                 names: Optional[Sequence[str]] = None, max_rounds: int = 8) -> None:
        self.model, self.picture, self.path = model, picture, path
        self.names, self.max_rounds = names, max_rounds
        self.seen = Seen((), ())
        self.turns: list[Turn] = []
        self.objects: list[Optional[PointedObject]] = []

    def ask(self, question: str, on_text: Optional[Callable[[str], None]] = None) -> ImageResult:
        """The answer to a question.

        Args:
            question (str): ``{n}`` in it is the n-th object of the dialogue, from 1.
            on_text: called with each piece of the answer's text as it is made.

        Returns:
            ImageResult: with ``text`` and, of each object, ``segs``, which [SEG] of the text it belongs to, from 1.

        Raises:
            ValueError: the question is empty or points at an object that is not there.
        """
        *pieces, result = self.stream(question, on_text)
        return result

    def stream(self, question: str,
               on_text: Optional[Callable[[str], None]] = None) -> Iterator[Union[str, ImageResult]]:
        """Pieces of the answer's text as they are made, then what ``ask`` returns.

        Args:
            question, on_text: as of ``ask``.

        Raises:
            ValueError: as of ``ask``, before the first piece.
        """
        if not question.strip():
            raise ValueError('ask= is an empty question')
        pieces = tuple(pieces_of(question, self.objects))
        asked = Turn((*self._show(words_of(pieces)), *pieces))
        said: list[Said] = []
        for piece in self._say([*self.turns, asked], said):
            if on_text is not None:
                on_text(piece)
            yield piece
        found = self.model.finish(said, self.seen)
        self.turns.append(asked._replace(answer=found.text))
        self._forget()
        objects = self.seen.objects[-1]
        self.objects += [None if number is None else object_at(objects, number)
                         for number in found.objects]
        yield self._result(found, objects)

    def _show(self, sought: str) -> tuple[int, ...]:
        """The number of the picture where a turn has to show it: the first one, and each that GLEE is asked anew."""
        if self.seen.objects and not self.model.glee.asks_expressions:
            return () if self.turns else (0, )
        seen = self.model.see([self.picture], [sought])
        self.seen = Seen(self.seen.objects + seen.objects, self.seen.towers + seen.towers)
        return (len(self.seen.objects) - 1, )

    def _say(self, turns: Sequence[Turn], said: list[Said]) -> Iterator[str]:
        """Pieces of text; ``said`` gains the tokens."""
        done = ''
        for one in self.model.stream(turns, self.seen):
            said.append(one)
            text = self.model.language_model.decode_text([token for token, _ in said])
            if text.startswith(done) and text != done:
                yield text[len(done):]
                done = text

    def _forget(self) -> None:
        """Leave out the oldest rounds; the picture moves to the first that stays."""
        if len(self.turns) > self.max_rounds:
            first, *rest = self.turns[-self.max_rounds:]
            shown = any(isinstance(piece, int) for piece in first.asked)
            self.turns = [first if shown else first._replace(asked=(0, *first.asked)), *rest]

    def _result(self, found: Answer, objects: PictureObjects) -> ImageResult:
        masks = [(one > 0).cpu() for one in found.logits]
        boxes = mask_boxes(torch.stack(masks)) if masks else torch.zeros(0, 4)
        result = ImageResult(
            path=self.path, shape=self.picture.shape[:2],
            names=[name_of(self.model, objects, number, self.names) for number in found.objects], boxes=boxes.numpy(),
            scores=np.array(found.scores, np.float32), rles=[encode(mask.numpy()) for mask in masks],
            image=None if self.path else self.picture)
        return replace(result, text=found.text, segs=np.arange(1, len(masks) + 1))


@torch.no_grad()
def name_of(model: ReasoningSegmentor, objects: PictureObjects, number: Optional[int],
            names: Optional[Sequence[str]] = None) -> str:
    """What GLEE calls an object; 'object' where it has none.

    Args:
        model (ReasoningSegmentor): the model.
        objects (PictureObjects): of the picture.
        number (int | None): which of them.
        names (Sequence[str] | None): as of ``PictureDialogue``.
    """
    if number is None:
        return 'object'
    if names is None:
        return 'object' if model.glee.asks_expressions else model.glee.names[int(objects.labels[number])]
    head = model.glee.model.panoptic_head
    queries = objects.queries[number].to(head.category_embed)
    return names[int(head.name_probability(queries, names).argmax())]
