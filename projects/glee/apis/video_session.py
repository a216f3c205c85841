"""Follow objects through a video from any prompt on any frame."""
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence, Union

import cv2
import numpy as np
import torch
from mmengine.logging import print_log

from ..models.prompts.reference_prompt import ReferencePrompt
from ..models.trackers.prompt_tracker import PromptTracker
from ..structures.masks import Rle, decode, encode
from ..structures.prompted_objects import ObjectPrompts
from .frame_reader import FrameReader
from .interactive_session import InteractiveSession
from .session_image import SessionImage
from .session_objects import SessionObject
from .user_prompt import Points, Prompt, UserPrompt, read_prompt


class VideoSession:
    """Point at objects on any frame, follow them both ways, correct them on later frames.

    An object starts from any prompt of ``InteractiveSession`` (points, boxes, scribbles, text, ...) on any
    frame. Its mask there is carried forward to the end and, before its first prompt, backward to the
    beginning. A correction refines the mask that was tracked there and holds from there on, up to the next
    one; where it lies farther from that mask than half the mask's size, the track was lost and the object starts
    anew. Negative points alone, which do not say where the object is, change only their own frame. Masks are
    kept as run-length codes; frames are read one at a time. A frame that cannot be read does not end the tracking:
    a black one, of the size of the first frame that was pointed at, takes its place, is logged and counted. Masks
    are those of their frames, also where a frame has another size.

    Example:
        >>> session = VideoSession(model)
        >>> session.open('street.mp4')
        >>> car = session.add(12, points=[(320, 200)])
        >>> for frame in session.track():
        ...     show(session.mask(car.id, frame))
        >>> session.refine(car.id, 40, points=[(350, 210), (100, 90, -1)])

    Args:
        model (GLEEVideo): a detector with a prompter.
        scale (tuple[int, int] | None): longest and shortest side of the resized frames, px; None takes the test
            pipeline of the config that ``init_model`` left at the model.
        memory (str): of the ``PromptTracker``.
        vocabulary, vocabulary_in_fusion, transcriber, carve_radius, history: as for ``InteractiveSession``.

    Attributes:
        unreadable (set[int]): frames that a black one stood for.
    """

    def __init__(self, model, scale: Optional[tuple[int, int]] = None, memory: str = 'first',
                 vocabulary: Optional[Sequence[str]] = None, vocabulary_in_fusion: bool = False,
                 transcriber: Optional[Callable] = None, carve_radius: float = 0., history: str = 'tokens') -> None:
        self.image = InteractiveSession(model, vocabulary, scale, vocabulary_in_fusion, transcriber, carve_radius,
                                        history)
        self.model = model
        self.memory = memory
        self._frames: Optional[FrameReader] = None
        self.unreadable: set[int] = set()
        self._size: Optional[tuple[int, int]] = None  # height, width of the first frame that was pointed at
        # masks to track from; None where a frame was only told what the object is not
        self._given: dict[int, dict[int, Optional[Rle]]] = {}
        self._masks: dict[int, dict[int, Optional[Rle]]] = {}
        self._asked: dict[tuple[int, int], list[UserPrompt]] = {}

    def open(self, source: Union[str, Path, Sequence[Union[np.ndarray, Path]]]) -> int:
        """Start with a video, see ``FrameReader``; objects are forgotten. Returns the number of frames."""
        self._frames = FrameReader(source)
        self._given, self._masks, self._asked = {}, {}, {}
        self.unreadable, self._size = set(), None
        return len(self._frames)

    def add(self, frame: int, points: Points = (), boxes: Points = (), polygons: Sequence[Points] = (),
            scribbles: Sequence[Points] = (), mask: Optional[np.ndarray] = None, mask_kind: str = 'mask',
            text: Optional[str] = None, audio: Any = None,
            reference: Optional[ReferencePrompt] = None) -> SessionObject:
        """A new object, from a prompt on a frame.

        Args:
            frame: its number, from 0.
            points, boxes, polygons, scribbles, mask, mask_kind, text, audio, reference: as of
                ``InteractiveSession.add``.
        """
        object_id = max(self._given, default=0) + 1
        self._given[object_id], self._masks[object_id] = {}, {}
        try:
            return self._ask(object_id, frame, dict(
                points=points, boxes=boxes, polygons=polygons, scribbles=scribbles, mask=mask, mask_kind=mask_kind,
                text=text, audio=audio, reference=reference))
        except Exception:
            del self._given[object_id], self._masks[object_id]
            raise

    def refine(self, object_id: int, frame: int, points: Points = (), boxes: Points = (),
               polygons: Sequence[Points] = (), scribbles: Sequence[Points] = (), mask: Optional[np.ndarray] = None,
               mask_kind: str = 'mask', text: Optional[str] = None, audio: Any = None,
               reference: Optional[ReferencePrompt] = None) -> SessionObject:
        """Correct an object on a frame, which may be another than that it started on.

        Args:
            object_id: ``id`` of the object.
            frame: its number, from 0.
            points, boxes, polygons, scribbles, mask, mask_kind, text, audio, reference: as of
                ``InteractiveSession.add``.
        """
        if object_id not in self._given:
            raise KeyError(f'there is no object {object_id}; there are {sorted(self._given)}')
        return self._ask(object_id, frame, dict(
            points=points, boxes=boxes, polygons=polygons, scribbles=scribbles, mask=mask, mask_kind=mask_kind,
            text=text, audio=audio, reference=reference))

    def _ask(self, object_id: int, frame: int, prompt: Prompt) -> SessionObject:
        """The object on one frame from all that was said there, and before that from where it was tracked to."""
        picture = self._reader()[frame]
        self._size = self._size or picture.shape[:2]
        self.image.set_image(picture)
        meant = self.image.read(**prompt, number=object_id)
        said = meant.names_object or self._given[object_id].get(frame) is not None
        rounds = [*self._asked.get((object_id, frame), ()), meant]
        if len(rounds) == 1 and self._masks[object_id].get(frame) is not None:
            tracked = self.mask(object_id, frame)
            if not _is_far(meant.positive, tracked):
                rounds.insert(0, read_prompt(tracked.shape, mask=tracked))
        found, = self.image.add_prompts(rounds[:1])
        for later in rounds[1:]:
            found, = self.image.refine_prompts({found.id: later})
        self._asked[object_id, frame] = rounds
        self._given[object_id][frame] = found.rle if said else None
        self._masks[object_id][frame] = found.rle if found.area else None
        return replace(found, id=object_id)

    def _reader(self) -> FrameReader:
        if self._frames is None:
            raise RuntimeError('no video is open: call open first')
        return self._frames

    def _picture(self, frame: int) -> np.ndarray:
        """A frame, uint8 RGB (H, W, 3); a black one for one that cannot be read."""
        try:
            return self._reader()[frame]
        except ValueError as error:
            if frame not in self.unreadable:
                self.unreadable.add(frame)
                print_log(f'{error}; a black frame of {self._size} takes its place ({len(self.unreadable)} so far)',
                          logger='current', level=logging.WARNING)
            return np.zeros((*self._size, 3), np.uint8)

    def track(self) -> Iterator[int]:
        """Follow all objects; yields each frame when it is done, forward from the first prompt, then backward."""
        length = len(self._reader())
        if not any(self._given.values()):
            raise RuntimeError('no object is given: call add first')
        shown = {object_id: {frame: mask for frame, mask in given.items() if mask is not None}
                 for object_id, given in self._given.items()}
        starts = {object_id: min(given) for object_id, given in shown.items()}
        yield from self._sweep(range(min(starts.values()), length), shown)
        # backward, each object from its first prompt on
        first = {object_id: {start: shown[object_id][start]} for object_id, start in starts.items()}
        yield from self._sweep(range(max(starts.values()), -1, -1), first, before=starts)

    def _sweep(self, order: Sequence[int], given: dict, before: Optional[dict] = None) -> Iterator[int]:
        """Run a tracker over frames; with ``before`` only masks of frames before these are kept."""
        tracker = PromptTracker(memory=self.memory)
        for frame in order:
            masks = {object_id: frames[frame] for object_id, frames in given.items() if frame in frames}
            for object_id, rle in self._step(tracker, self._picture(frame), masks).items():
                if frame not in self._given[object_id] and (before is None or frame < before[object_id]):
                    self._masks[object_id][frame] = rle
            if before is None or any(frame < start for start in before.values()):
                yield frame

    @torch.no_grad()
    def _step(self, tracker: PromptTracker, picture: np.ndarray, given: dict[int, Rle]) -> dict[int, Optional[Rle]]:
        """Masks of all objects that the tracker knows, in one frame."""
        image = SessionImage.prepare(self.model, picture, self.image.geometry)
        masks = {object_id: image.warp(decode(rle)) for object_id, rle in given.items()}
        # an empty mask points at nothing: a new object is not there, a known one is followed as before
        masks = {object_id: mask for object_id, mask in masks.items()
                 if mask.any() or object_id not in tracker.objects}
        if masks:
            stacked = torch.stack(list(masks.values()))
            image.sample.prompts = ObjectPrompts(
                masks=stacked, kinds=['mask'] * len(stacked), instance_ids=torch.tensor(list(masks)))
        tracker.update(self.model, image.batch, [image.sample])
        return tracker.take_last()

    def live(self, frames: Iterator[np.ndarray], prompts: dict[int, np.ndarray]) -> Iterator[dict[int, np.ndarray]]:
        """Follow objects through live frames, e.g. ``camera_frames``; nothing is kept.

        Args:
            frames (Iterator[np.ndarray]): uint8 RGB (H, W, 3).
            prompts (dict[int, np.ndarray]): bool masks (H, W) by object, taken with the next frame and then
                removed; put more into it between two frames to add or correct objects.

        Yields:
            dict[int, np.ndarray]: bool mask (H, W) of every object.
        """
        tracker = PromptTracker(memory=self.memory)
        for picture in frames:
            given = {object_id: encode(mask) for object_id, mask in prompts.items()}
            prompts.clear()
            found = self._step(tracker, picture, given)
            yield {object_id: decode(rle, picture.shape[:2]) for object_id, rle in found.items()}

    def mask(self, object_id: int, frame: int) -> np.ndarray:
        """Bool mask (H, W) of an object in a frame that has been tracked; empty where it is not visible.

        Raises:
            KeyError: the object is unknown or the frame has not been tracked.
        """
        if frame not in self._masks.get(object_id, {}):
            raise KeyError(f'object {object_id} has not been tracked in frame {frame}: run track')
        rle = self._masks[object_id][frame]  # it knows its size: only without one the frame is read again
        return decode(rle, self._picture(frame).shape[:2] if rle is None else rle['size'])


def _is_far(positive: np.ndarray, tracked: np.ndarray) -> bool:
    """Whether the pixels are farther from the tracked mask than half its size, the root of its area; both (H, W)."""
    distance = cv2.distanceTransform((~tracked).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return bool(positive.any() and distance[positive].min() > np.sqrt(tracked.sum()) / 2)
