"""One expression through a video, frame after frame, at a cost that does not grow with it (GLUS)."""
from collections import deque
from typing import NamedTuple, Optional, Sequence, Union

import numpy as np
import torch
from torch import Tensor

from ..data import templates
from ..dialogue import PointedObject, Turn, words_of
from ..generation import Prefix, answer, read_prefix
from ..object_encoder import PictureObjects
from ..pointing import pieces_of
from ..reader import Seen
from ..reasoning_segmentor import best_objects, to_picture
from .memory_bank import VideoMemory
from .video_segmentor import VideoReasoningSegmentor


class FrameAnswer(NamedTuple):
    """logits: mask logits (H, W) at the size of the frame; None where the model says no [SEG]. embed: (C,) of the
    [SEG]. score: mean probability inside the mask, 0 of an empty one. found: the objects of the frame. small: mask
    logits (h, w) at the size of their pixel embeddings."""
    logits: Optional[Tensor]
    embed: Optional[Tensor]
    score: float
    found: PictureObjects
    small: Tensor

    @property
    def text(self) -> str:
        """What the model says of the frame."""
        return '' if self.embed is None else f'{templates.FORCED}[SEG].'

    @property
    def object(self) -> Optional[int]:
        """Index of the GLEE object with this mask, None where there is none."""
        return best_objects(self.small[None], self.found)[0]

    @property
    def mask(self) -> np.ndarray:
        """Bool (H, W)."""
        return np.zeros(self.found.shape, bool) if self.logits is None else (self.logits > 0).cpu().numpy()


class FrameReasoner:
    """Asks for one expression in frame after frame.

    The dialogue is the context, which stays, and the last frames with their answers. A frame in which the model does
    not say [SEG] gets an empty mask, and the dialogue goes on as if it had.

    Args:
        model (VideoReasoningSegmentor): in eval mode.
        expression (str): what is sought; ``{n}`` in it is the n-th of ``pointed``, from 1.
        context (Sequence[np.ndarray]): frames of the whole video, RGB uint8 (H, W, 3).
        use_prefix (bool): read the context once and not in every frame; the results are the same.
        pointed (Sequence[PointedObject | None]): objects of earlier answers.
    """

    def __init__(self, model: VideoReasoningSegmentor, expression: str, context: Sequence[np.ndarray],
                 use_prefix: bool = True, pointed: Sequence[Optional[PointedObject]] = ()) -> None:
        self.model = model
        self.question = tuple(pieces_of(templates.put(expression, templates.FRAME), pointed))
        self.sought = words_of(tuple(pieces_of(expression, pointed)))
        self.window: deque[Seen] = deque(maxlen=model.window)
        self.memory = VideoMemory(model.memory)
        self.use_prefix = use_prefix
        self._prefix: Optional[Prefix] = None
        self.show_context(context)

    def show_context(self, context: Sequence[np.ndarray]) -> None:
        """Other frames of the whole video, as of a live one that goes on."""
        self.context, self._prefix = self.model.see(context, [self.sought] * len(context)), None

    @torch.no_grad()
    def step(self, frame: np.ndarray) -> FrameAnswer:
        """The mask in the next frame, RGB uint8 (H, W, 3)."""
        self.window.append(self.model.see([frame], [self.sought]))
        shown, seen = len(self.context.objects), self._seen()
        turns = frame_turns(self.question, shown, len(self.window))
        read = self.model.read(turns, seen, open_answer=True)[1]
        if self.use_prefix and self._prefix is None:
            start = self.model.read([Turn(context_of(shown), None)], self.context)[1]
            length = self._shared(start.embeds, read.embeds)
            self._prefix = read_prefix(self.model.language_model, start._replace(
                embeds=start.embeds[:length], positions=start.positions[..., :length]))
        said = next(answer(self.model.language_model, read, 1, self._prefix), None)
        found = seen.objects[-1]
        embed = None
        if said is not None and said.token == self.model.language_model.seg_id:
            embed = self.model.seg_projector(said.state[None].float())[0]
        small = self.model.next_mask(embed, found, self.memory)
        if embed is None:
            return FrameAnswer(None, None, 0., found, small)
        logits = to_picture(small[None], found)[0]
        inside = logits[logits > 0]
        return FrameAnswer(logits, embed, float(inside.sigmoid().mean()) if len(inside) else 0., found, small)

    def _seen(self) -> Seen:
        """Context and window as one list of pictures."""
        parts = [self.context, *self.window]
        return Seen(*(tuple(one for pictures in field for one in pictures) for field in zip(*parts)))

    @staticmethod
    def _shared(start: Tensor, whole: Tensor) -> int:
        """How many embeddings at the beginning agree."""
        count = min(len(start), len(whole))
        differ = (start[:count] != whole[:count]).any(1).nonzero()
        return int(differ[0]) if len(differ) else count


def frame_turns(question: Union[str, tuple], context: int, frames: int,
                answers: Optional[Sequence[str]] = None, sought: Optional[str] = None) -> list[Turn]:
    """The dialogue about the last ``frames`` pictures, after ``context`` of the whole video.

    Args:
        question (str | tuple): asked of every frame, a text or its pieces as of ``Turn.asked``.
        context, frames (int): numbers of pictures, in this order.
        answers (Sequence[str] | None): one per frame; None has all but the last, which is begun.
        sought (str | None): as of ``Turn``.
    """
    if answers is None:
        answers = [f'{templates.FORCED}[SEG].'] * (frames - 1) + [templates.FORCED]
    pieces = (question, ) if isinstance(question, str) else question
    return [Turn((*(context_of(context) if number == 0 else ()), context + number, *pieces), said, sought)
            for number, said in enumerate(answers)]


def context_of(count: int) -> tuple:
    """What the dialogue begins with: the first ``count`` pictures, and that they are the context."""
    return (*range(count), f'\n{templates.CONTEXT}\n') if count else ()
