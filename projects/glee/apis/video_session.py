"""Follow objects through a video from any prompt on any frame."""
import logging
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence, Union

import cv2
import numpy as np
from mmengine.logging import print_log

from ..models.prompts.reference_prompt import ReferencePrompt
from ..models.trackers.prompt_tracker import PromptTracker
from ..structures.masks import decode, encode
from ..visualization.renderer import Renderer
from .followers import Follower
from .frame_features import FrameFeatures
from .frame_reader import FrameReader, open_frames
from .image_result import ImageResult
from .interactive_session import InteractiveSession
from .session_image import SessionImage
from .session_objects import SessionObject
from .tracked_video import TrackedVideo
from .user_prompt import Points, Prompt, UserPrompt, read_prompt
from .video_objects import ABSENT, Sighting, Start, VideoObject, follow
from .video_sweep import Sweep, backward_sweep, forward_sweep

VideoFile = Union[str, Path, Sequence[Union[np.ndarray, Path]]]


class VideoSession:
    """Point at objects on any frame, follow them both ways, correct them on later frames.

    An object starts from any prompt of ``InteractiveSession`` (points, boxes, scribbles, text, ...) on any
    frame. Its mask there is carried forward to the end and, before its first prompt, backward to the
    beginning; with ``min_score`` an object of words or a reference alone that is not there is looked for in the other
    frames. A correction refines the mask that was tracked there and holds from there on, up to the next
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
        ...     print(session.result(frame).boxes)
        >>> session.refine(car.id, 40, points=[(350, 210), (100, 90, -1)])
        >>> for frame in session.track(start=40):
        ...     show(session.mask(car.id, frame))
        >>> session.save('car.mp4')

    Args:
        model (GLEE): a detector with a prompter.
        scale (tuple[int, int] | None): longest and shortest side of the resized frames, px; None takes the test
            pipeline of the config that ``init_model`` left at the model.
        memory (str): of the ``PromptTracker``.
        vocabulary, vocabulary_in_fusion, transcriber, carve_radius, history, first, refine, kept_objects: as for
            ``InteractiveSession``; kept encodings count over all frames, and tracking reads none.
        min_score (float): below it an object is absent from a frame that it is tracked to, or that words alone name.
        cached_frames (int): frames whose backbone maps are kept, so that a prompt or a sweep that comes to one again
            costs no backbone pass (GLEE-Lite at 800 px: about 140 MB each). See ``FrameFeatures``.

    Attributes:
        unreadable (set[int]): frames that a black one stood for.
    """

    def __init__(self, model, scale: Optional[tuple[int, int]] = None, memory: str = 'first',
                 vocabulary: Optional[Sequence[str]] = None, vocabulary_in_fusion: bool = False,
                 transcriber: Optional[Callable] = None, carve_radius: float = 0., history: str = 'tokens',
                 min_score: float = 0., cached_frames: int = 4, first: str = 'exact', refine: str = 'exact',
                 kept_objects: int = 8) -> None:
        self.image = InteractiveSession(model, vocabulary, scale, vocabulary_in_fusion, transcriber, carve_radius,
                                        history, first, refine, kept_objects)
        self.model = self.image.model
        self.min_score = min_score
        self.memory = memory
        self._frames: Optional[FrameReader] = None
        self._features = FrameFeatures(cached_frames)
        self.reset()

    # ---- video ----
    def open(self, source: VideoFile) -> int:
        """Start with a video, see ``FrameReader``; objects are forgotten. Returns the number of frames."""
        self._frames = FrameReader(source)
        self._features.clear()
        self.reset()
        return len(self._frames)

    def reset(self) -> None:
        """Remove all objects; the video stays."""
        self._objects: dict[int, VideoObject] = {}
        self._next_id = 1
        self._size: Optional[tuple[int, int]] = None  # height, width of the first frame that was pointed at
        self.unreadable: set[int] = set()

    def _reader(self) -> FrameReader:
        if self._frames is None:
            raise RuntimeError('no video is open: call open first')
        return self._frames

    def _picture(self, frame: int) -> np.ndarray:
        """A frame, uint8 RGB (H, W, 3); a black one for one that cannot be read, once its size is known."""
        try:
            return self._reader()[frame]
        except ValueError as error:
            if self._size is None:
                raise
            if frame not in self.unreadable:
                self.unreadable.add(frame)
                print_log(f'{error}; a black frame of {self._size} takes its place ({len(self.unreadable)} so far)',
                          logger='current', level=logging.WARNING)
            return np.zeros((*self._size, 3), np.uint8)

    def _seen(self, frame: int, is_pointed_at: bool) -> SessionImage:
        """A frame with its maps; where it is pointed at it must be readable."""
        image = self._features.get(frame, is_pointed_at)
        if image is None:
            picture = self._reader()[frame] if is_pointed_at else self._picture(frame)
            image = SessionImage.prepare(self.model, picture, self.image.geometry).encoded(self.model)
            if frame not in self.unreadable:
                self._features.put(frame, image, is_pointed_at)
        return image

    @contextmanager
    def _pointing_at(self, frame: int) -> Iterator[None]:
        """The image session shows a frame, and lets go of it afterwards."""
        image = self._seen(frame, True)
        self._size = self._size or image.sample.ori_shape
        self.image.show(image)
        try:
            yield
        finally:
            self.image.clear()

    # ---- objects ----
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
        return self.add_many(frame, [dict(
            points=points, boxes=boxes, polygons=polygons, scribbles=scribbles, mask=mask, mask_kind=mask_kind,
            text=text, audio=audio, reference=reference)])[0]

    def add_many(self, frame: int, prompts: Sequence[Prompt]) -> list[SessionObject]:
        """Several new objects of a frame at once, one dict of keywords of ``add`` each; they are decoded in batches."""
        numbers = range(self._next_id, self._next_id + len(prompts))
        with self._pointing_at(frame):
            meant = [self.image.read_keywords(prompt, number) for number, prompt in zip(numbers, prompts)]
            found = self.image.add_prompts(meant)
            self._next_id += len(found)
            for number, one in zip(numbers, found):
                self._objects[number] = VideoObject(one.text or one.label or f'object {number}')
                self._objects[number].keep(
                    frame, replace(self.image.last_round(one.id), result=one), self.min_score)
        return [replace(one, id=number) for number, one in zip(numbers, found)]

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

        Raises:
            KeyError: there is no such object.
        """
        known = self._object(object_id)
        with self._pointing_at(frame):
            prompt = self.image.read(points, boxes, polygons, scribbles, mask, mask_kind, text, audio, reference,
                                     object_id)
            is_said = prompt.names_object or known.starts.get(frame) is not None
            before = self._resume(known, frame, prompt)
            found, = (self.image.add_prompts([prompt]) if before is None else
                      self.image.refine_prompts({before: prompt}))
            known.keep(frame, self.image.last_round(found.id), self.min_score, is_said)
        return replace(found, id=object_id)

    def _resume(self, known: VideoObject, frame: int, prompt: UserPrompt) -> Optional[int]:
        """The object in the image session as it was left in a frame, or as it was tracked there; None if it is lost."""
        if frame in known.rounds:
            return self.image.resume(known.rounds[frame])
        tracked = known.seen.get(frame, ABSENT).rle
        if tracked is None or _is_far(prompt.positive, decode(tracked)):
            return None
        return self.image.add_prompts([read_prompt(tracked['size'], mask=decode(tracked))])[0].id

    def remove(self, object_id: Union[int, SessionObject]) -> None:
        """Forget an object, or that of an ``id``; also while ``track`` runs. Masks of the others stay.

        Its number is not used again.
        """
        object_id = object_id.id if isinstance(object_id, SessionObject) else object_id
        self._object(object_id)
        del self._objects[object_id]

    def _object(self, object_id: int) -> VideoObject:
        if object_id not in self._objects:
            raise KeyError(f'there is no object {object_id}; there are {sorted(self._objects)}')
        return self._objects[object_id]

    # ---- tracking ----
    def track(self, start: int = 0, end: Optional[int] = None, stride: int = 1,
              reverse: Optional[bool] = None) -> Iterator[int]:
        """Follow all objects; yields each frame when it is done.

        The masks of a frame are the same whatever part of the video is asked for. With ``memory='first'`` only those
        frames pass the model that are asked for or that were pointed at, and none before an object is there.

        Args:
            start, end, stride: frames to take, as of a slice, from front to back whatever the direction.
            reverse: None goes forward from the first prompt and then backward to the beginning; False only forward,
                True only backward from the objects' first prompts.

        Raises:
            RuntimeError: no video is open, or there is no object.
            ValueError: ``stride`` is below 1, or no frame is left.
        """
        length = len(self._reader())
        if stride < 1:
            raise ValueError(f'stride={stride} must be 1 or more: for the other direction give reverse=True')
        wanted = range(length)[start:end:stride]
        if not wanted:
            raise ValueError(f'start={start}, end={end}, stride={stride} hold no frame of {length}')
        if not self._objects:
            raise RuntimeError('no object is given: call add first')
        return self._track(wanted, reverse)

    def _track(self, wanted: range, reverse: Optional[bool]) -> Iterator[int]:
        every = self.memory != 'first'
        forward, backward = (plan(self._objects, wanted, every) for plan in (forward_sweep, backward_sweep))
        if reverse is not True:
            # what some objects have yet to be followed back to is done later
            later = set() if reverse is False else backward.shown
            yield from (frame for frame in self._sweep(forward) if frame in forward.shown - later)
        if reverse is not False:
            yield from (frame for frame in self._sweep(backward) if frame in backward.shown)

    def _sweep(self, sweep: Sweep) -> Iterator[int]:
        """Run a tracker over frames; where an object was pointed at, it stays as the user saw it."""
        tracker, running = PromptTracker(memory=self.memory, min_score=self.min_score), set()
        for frame in sweep.frames:
            for identity in running - self._objects.keys():  # removed in between
                tracker.forget(identity)
            starts = {identity: start for identity, start in sweep.starts.get(frame, {}).items()
                      if identity in self._objects}
            running = (running | starts.keys()) & self._objects.keys()
            found = {}
            if tracker.has_live or any(start.is_described for start in starts.values()):
                found = follow(tracker, self.model, self._seen(frame, False), starts)
            for identity in running:
                if frame not in self._objects[identity].starts:
                    self._objects[identity].seen[frame] = found.get(identity, ABSENT)
            yield frame

    def live(self, frames: Iterator[np.ndarray],
             prompts: dict[int, Union[np.ndarray, Prompt, None]]) -> Iterator[dict[int, np.ndarray]]:
        """Follow objects through live frames, e.g. ``camera_frames``; nothing is kept.

        Args:
            frames: uint8 RGB (H, W, 3).
            prompts: by object, a bool mask (H, W) or a dict of keywords of ``add``, taken with the next frame and then
                removed; None ends an object. Put more into it between two frames to add or correct objects.

        Yields:
            dict[int, np.ndarray]: bool mask (H, W) of every object; a frame without objects does not pass the model.
        """
        tracker = PromptTracker(memory=self.memory, min_score=self.min_score)
        for picture in frames:
            given = dict(prompts)
            prompts.clear()
            for identity in [identity for identity, prompt in given.items() if prompt is None]:
                tracker.forget(identity)
                del given[identity]
            found = {identity: ABSENT for identity in tracker.objects}
            if given or tracker.has_live:
                image = SessionImage.prepare(self.model, picture, self.image.geometry).encoded(self.model)
                found = follow(tracker, self.model, image, self._live_starts(image, given))
            yield {identity: decode(seen.rle, picture.shape[:2]) for identity, seen in found.items()}

    def _live_starts(self, image: SessionImage, given: dict[int, Union[np.ndarray, Prompt]]) -> dict[int, Start]:
        starts = {identity: Start(encode(mask)) for identity, mask in given.items() if not isinstance(mask, dict)}
        asked = {identity: prompt for identity, prompt in given.items() if isinstance(prompt, dict)}
        if asked:
            self.image.show(image)
            meant = [self.image.read_keywords(prompt, identity) for identity, prompt in asked.items()]
            for identity, prompt, found in zip(asked, meant, self.image.add_prompts(meant)):
                starts[identity] = Start.of(found, prompt, self.min_score)
            self.image.clear()
        return starts

    # ---- results ----
    def mask(self, object_id: int, frame: int) -> np.ndarray:
        """Bool mask (H, W) of an object in a frame that has been tracked; empty where it is absent.

        Raises:
            KeyError: the object is unknown or the frame has not been tracked.
        """
        rle = self._sighting(object_id, frame).rle  # it knows its size: only without one the frame is read again
        return decode(rle, self._picture(frame).shape[:2] if rle is None else rle['size'])

    def score(self, object_id: int, frame: int) -> float:
        """Probability in 0..1 of an object in a frame, also where it is absent; errors as of ``mask``.

        Where it was pointed at that is ``SessionObject.score``, the probability times the quality of the mask.
        """
        return self._sighting(object_id, frame).score

    def _sighting(self, object_id: int, frame: int) -> Sighting:
        seen = self._objects[object_id].seen if object_id in self._objects else {}
        if frame not in seen:
            raise KeyError(f'object {object_id} has not been tracked in frame {frame}: run track')
        return seen[frame]

    def result(self, frame: int) -> ImageResult:
        """The objects that are present in a frame, as far as it has been tracked, in the order of their ids."""
        return self._result(frame, self._picture(frame))

    def _result(self, frame: int, picture: np.ndarray) -> ImageResult:
        shown = {identity: known for identity, known in sorted(self._objects.items())
                 if known.seen.get(frame, ABSENT).rle is not None}
        seen = [known.seen[frame] for known in shown.values()]
        return ImageResult(
            path=None, shape=picture.shape[:2], names=[known.name for known in shown.values()],
            boxes=np.array([one.box for one in seen], np.float32).reshape(-1, 4),
            scores=np.array([one.score for one in seen], np.float32), rles=[one.rle for one in seen],
            ids=np.array(list(shown), int), frame=frame, image=picture)

    def save(self, path: Union[str, Path, None] = None, json: Union[str, Path, None] = None,
             csv: Union[str, Path, None] = None, mot: Union[str, Path, None] = None,
             masks: Union[str, Path, None] = None, start: int = 0, end: Optional[int] = None, stride: int = 1,
             renderer: Renderer = Renderer(min_side=0), by: str = 'object', show_progress: bool = True) -> None:
        """Write the frames with what has been tracked; nothing is tracked here.

        Args:
            path, json, csv, mot, masks, renderer, by, show_progress: as of ``TrackedVideo.save``.
            start, end, stride: frames to take, as of ``open_frames``.
        """
        video = TrackedVideo(open_frames(self._reader(), start, end, stride), [_Shown(self)])
        video.save(path, json, csv, mot, masks, renderer, by, show_progress)


class _Shown(Follower):
    """What a session knows of each frame."""

    def __init__(self, session: VideoSession) -> None:
        self.session = session

    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """See ``Follower``."""
        return self.session._result(frame, image)


def _is_far(positive: np.ndarray, tracked: np.ndarray) -> bool:
    """Whether the pixels are farther from the tracked mask than half its size, the root of its area; both (H, W)."""
    distance = cv2.distanceTransform((~tracked).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return bool(positive.any() and distance[positive].min() > np.sqrt(tracked.sum()) / 2)
