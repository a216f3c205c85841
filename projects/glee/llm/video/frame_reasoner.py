"""One expression through a video, frame after frame, at a cost that does not grow with it (GLUS)."""
from collections import deque
from typing import NamedTuple, Optional, Sequence

import numpy as np
import torch
from torch import Tensor

from ..data import templates
from ..dialogue import Turn
from ..generation import Prefix, answer, read_prefix
from ..object_encoder import PictureObjects
from ..reader import Seen
from ..reasoning_segmentor import to_picture
from .frame_sampler import WINDOW
from .memory_bank import VideoMemory
from .video_segmentor import VideoReasoningSegmentor


class FrameAnswer(NamedTuple):
    """logits: mask logits (H, W) at the size of the frame; None where the model says no [SEG]. embed: (C,) of the
    [SEG]. score: mean probability inside the mask, 0 of an empty one. found: the objects of the frame."""
    logits: Optional[Tensor]
    embed: Optional[Tensor]
    score: float
    found: PictureObjects

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
        expression (str): what is sought.
        context (Sequence[np.ndarray]): frames of the whole video, RGB uint8 (H, W, 3).
        window (int): frames of the dialogue, the asked one among them.
        use_prefix (bool): read the context once and not in every frame; the results are the same.
    """

    def __init__(self, model: VideoReasoningSegmentor, expression: str, context: Sequence[np.ndarray],
                 window: int = WINDOW, use_prefix: bool = True) -> None:
        self.model = model
        self.question = templates.put(expression, templates.FRAME)
        self.window: deque[Seen] = deque(maxlen=window)
        self.memory = VideoMemory(model.memory)
        self.use_prefix = use_prefix
        self._prefix: Optional[Prefix] = None
        self.show_context(context)

    def show_context(self, context: Sequence[np.ndarray]) -> None:
        """Other frames of the whole video, as of a live one that goes on."""
        self.context, self._prefix = self.model.see(context), None

    @torch.no_grad()
    def step(self, frame: np.ndarray) -> FrameAnswer:
        """The mask in the next frame, RGB uint8 (H, W, 3)."""
        self.window.append(self.model.see([frame]))
        shown, seen = len(self.context.objects), self._seen()
        turns = frame_turns(self.question, shown, len(self.window))
        read = self.model.read(turns, seen, open_answer=True)[1]
        if self.use_prefix and self._prefix is None:
            start = self.model.read([Turn((*range(shown), f'\n{templates.CONTEXT}\n'), None)], self.context)[1]
            length = self._shared(start.embeds, read.embeds)
            self._prefix = read_prefix(self.model.language_model, start._replace(
                embeds=start.embeds[:length], positions=start.positions[..., :length]))
        said = next(answer(self.model.language_model, read, 1, self._prefix), None)
        found = seen.objects[-1]
        embed = None
        if said is not None and said.token == self.model.language_model.seg_id:
            embed = self.model.seg_projector(said.state[None].float())[0]
        small = self.model.next_mask(embed, found.pixels.to(torch.float32), self.memory)
        if embed is None:
            return FrameAnswer(None, None, 0., found)
        logits = to_picture(small[None], found)[0]
        inside = logits[logits > 0]
        return FrameAnswer(logits, embed, float(inside.sigmoid().mean()) if len(inside) else 0., found)

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


def frame_turns(question: str, context: int, frames: int, answers: Optional[Sequence[str]] = None) -> list[Turn]:
    """The dialogue about the last ``frames`` pictures, after ``context`` of the whole video.

    Args:
        question (str): asked of every frame.
        context, frames (int): numbers of pictures, in this order.
        answers (Sequence[str] | None): one per frame; None has all but the last, which is begun.
    """
    if answers is None:
        answers = [f'{templates.FORCED}[SEG].'] * (frames - 1) + [templates.FORCED]
    first = (*range(context), f'\n{templates.CONTEXT}\n') if context else ()
    return [Turn((*(first if number == 0 else ()), context + number, question), said)
            for number, said in enumerate(answers)]
