"""The objects of a video: what was said about them, where they were seen, and the step from frame to frame."""
from dataclasses import dataclass, field
from typing import NamedTuple, Optional, Sequence

import torch

from ..models.prompts.reference_prompt import ReferencePrompt
from ..models.trackers.prompt_tracker import PromptTracker
from ..structures.masks import Rle, bounding_box, decode
from ..structures.prompted_objects import ObjectPrompts
from .session_image import SessionImage
from .session_objects import Round, SessionObject
from .user_prompt import UserPrompt

NAMES = ('object', )  # what the pixels read where nothing else is said


class Sighting(NamedTuple):
    """An object in one frame: its score in 0..1, and its mask at the frame's size and box (xyxy px), both None where it
    is absent."""
    score: float
    rle: Optional[Rle]
    box: Optional[Sequence[float]]


ABSENT = Sighting(0., None, None)


class Start(NamedTuple):
    """What an object is followed from, on from some frame: its mask there or, where it is not seen, the words or the
    reference that describe it. With none of them it is in no frame."""
    rle: Optional[Rle]
    text: Optional[str] = None
    reference: Optional[ReferencePrompt] = None

    @property
    def is_described(self) -> bool:
        """Whether anything says what it is."""
        return any(value is not None for value in self)

    @classmethod
    def of(cls, found: SessionObject, prompt: UserPrompt, min_score: float) -> 'Start':
        """From what a prompt found. Who points at pixels sees the object there; words may mean one that comes later.

        Without a ``min_score``, by which it could be told when it comes, it does not come.
        """
        if found.area and (prompt.kind is not None or found.score >= min_score):
            return cls(found.rle)
        return cls(None, prompt.text, prompt.reference) if min_score > 0 else cls(None)


@dataclass
class VideoObject:
    """One object of a video.

    ``name``: of its results. ``rounds``: by frame, all that was said there and what was found last. ``starts``: by
    frame; None where it was only said what the object is not. ``seen``: by frame, those that have been tracked.
    """
    name: str
    rounds: dict[int, Round] = field(default_factory=dict)
    starts: dict[int, Optional[Start]] = field(default_factory=dict)
    seen: dict[int, Sighting] = field(default_factory=dict)

    @property
    def anchors(self) -> dict[int, Start]:
        """The frames that it is followed from."""
        return {frame: start for frame, start in self.starts.items() if start is not None}

    def keep(self, frame: int, latest: Round, min_score: float, is_said: bool = True) -> None:
        """What was found where the object was pointed at.

        Args:
            frame: of the prompt.
            latest: all that was said there, and the result.
            min_score: as of ``Start.of``.
            is_said: whether it was said there what the object is, not only what it is not.
        """
        start = Start.of(latest.result, latest.prompt, min_score)
        self.rounds[frame] = latest
        self.starts[frame] = start if is_said else None
        self.seen[frame] = Sighting(latest.result.score, start.rle, None if start.rle is None else box_of(start.rle))


def box_of(rle: Rle) -> list[float]:
    """xyxy px of the pixels of a mask."""
    x, y, width, height = bounding_box(rle)
    return [x, y, x + width, y + height]


@torch.no_grad()
def follow(tracker: PromptTracker, model, image: SessionImage, starts: dict[int, Start]) -> dict[int, Sighting]:
    """The objects in the next frame.

    Args:
        tracker (PromptTracker): follows them.
        model (GLEE): a detector with a prompter.
        image (SessionImage): the frame with its maps; it is not changed.
        starts (dict[int, Start]): by identity, objects that start or are corrected in this frame.
    """
    masks = {identity: torch.zeros(image.sample.batch_input_shape, dtype=torch.bool, device=image.batch.device)
             if start.rle is None else image.warp(decode(start.rle)) for identity, start in starts.items()}
    # what points at nothing and describes nothing: a new object is not there, a known one is followed as before
    told = [identity for identity, start in starts.items() if masks[identity].any() or identity not in tracker.objects
            or start.text is not None or start.reference is not None]
    sample = image.sample.clone()
    if told:
        sample.prompts = ObjectPrompts(
            masks=torch.stack([masks[identity] for identity in told]), kinds=['mask'] * len(told),
            texts=[starts[identity].text for identity in told], refs=[starts[identity].reference for identity in told],
            instance_ids=torch.tensor(told))
    tracker.step(model, image.batch, image.feats, sample, NAMES)
    return {identity: Sighting(*seen) for identity, seen in tracker.take_last().items()}
