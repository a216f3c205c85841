"""What the demo does on a video: follow the object of a referring picture, or objects painted on its frames."""
from pathlib import Path
from typing import Optional, Sequence, Union

import cv2
import numpy as np
from demo_image import DemoInput, Strokes, check_new, encode_example, joined, missing, new_strokes, shared_prompt
from demo_pictures import Answer, draw, prompt_of, row_of

from projects.glee.apis.frame_reader import FrameReader
from projects.glee.apis.interactive_session import InteractiveSession
from projects.glee.apis.reference_video import track_reference
from projects.glee.apis.video_session import VideoSession

Video = Union[str, Path, Sequence[np.ndarray]]
VIDEO_MODES = ('Stroke', 'Example', 'Text', 'Audio')


def is_given(video: Optional[Video]) -> bool:
    """Whether there is a path or a frame."""
    return video is not None and (isinstance(video, Path) or len(video) > 0)


class ShortVideo:
    """The first frames of a video, shrunk, as a sequence of uint8 RGB (H, W, 3).

    Args:
        source: as of ``FrameReader``.
        max_frames: more are left out.
        max_side: the longest side that is left as it is, px.

    Raises:
        ValueError, OSError: there is no frame, or no such file.

    Attributes:
        left_out: number of frames.
        fps: frames per second of a file, else 10.
    """

    def __init__(self, source: Video, max_frames: int = 200, max_side: int = 960) -> None:
        self._reader = FrameReader(source)
        self._count = min(len(self._reader), max_frames)
        self._max_side = max_side
        self._shape: tuple[int, ...] = (48, 64, 3)
        self.left_out = len(self._reader) - self._count
        self.fps = float(getattr(self._reader.frames, 'fps', 0) or 10)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> np.ndarray:
        if not 0 <= index < self._count:
            raise IndexError(f'frame {index} of {self._count}')
        frame = self._reader[index]
        factor = self._max_side / max(frame.shape[:2])
        if factor >= 1:
            return frame
        height, width = (max(round(side * factor), 1) for side in frame.shape[:2])
        return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)

    def picture(self, index: int) -> np.ndarray:
        """A frame; one that cannot be read is black, of the size of the last one that was read."""
        try:
            frame = self[index]
        except ValueError:
            return np.zeros(self._shape, np.uint8)
        self._shape = frame.shape
        return frame

    def note(self) -> str:
        """What is said about frames that were left out."""
        return f'; the last {self.left_out} frames were left out' if self.left_out else ''


class ReferenceDemo:
    """Finds the object of a referring picture in every frame of a video.

    Args:
        model (GLEE): a detector with a prompter.
        max_frames (int): of a video.
        **kwargs: as for ``InteractiveSession``.
    """

    def __init__(self, model, max_frames: int = 200, **kwargs) -> None:
        self._session = InteractiveSession(model, **kwargs)
        self._max_frames = max_frames
        self.fps = 10.

    def run(self, given: DemoInput, video: Optional[Video], memory: str = 'none', min_score: float = 0.) -> Answer:
        """One picture per frame and rows of ``VIDEO_HEADERS`` for frames where the object is.

        Args:
            given: ``example``, ``example_layers`` and ``drawing`` count.
            video: a file, a folder or frames.
            memory, min_score: as of ``track_reference``.
        """
        lacking = missing(('Example', ), given, {}, None)
        if not is_given(video):
            lacking.append('there is no video')
        if lacking:
            return Answer('; '.join(lacking))
        try:
            frames = ShortVideo(video, self._max_frames)
            self.fps = frames.fps
            reference = encode_example(given, self._session)
            return self._follow(frames, reference, memory, min_score)
        except (ValueError, OSError) as error:
            return Answer(str(error))

    def _follow(self, frames: ShortVideo, reference, memory: str, min_score: float) -> Answer:
        pictures, table = [], []
        shown = (frames.picture(index) for index in range(len(frames)))
        for index, found in enumerate(track_reference(self._session, shown, reference, memory, min_score)):
            masks = [] if found is None else [found.mask]
            pictures.append(draw(frames.picture(index), masks, ['reference']))
            table += [[index, *row_of('reference', found.score, mask, found.box)] for mask in masks]
        return Answer(f'found in {len(table)} of {len(frames)} frames{frames.note()}', pictures, table)


class VideoDemo:
    """Objects painted on any frame of a video and followed through it; layer k of a drawing is object k.

    Args:
        model (GLEE): a detector with a prompter.
        max_frames (int): of a video.
        **kwargs: as for ``VideoSession``.
    """

    def __init__(self, model, max_frames: int = 200, **kwargs) -> None:
        self.session = VideoSession(model, **kwargs)
        self._examples = InteractiveSession(model, **{key: kwargs[key] for key in ('scale', ) if key in kwargs})
        self._transcriber = kwargs.get('transcriber')
        self._max_frames = max_frames
        self._video: Optional[ShortVideo] = None
        self._frame = 0
        self._objects: dict[int, int] = {}  # layer to id of the session
        self._known: dict[int, str] = {}  # name by id
        self._drawn: Strokes = {}

    @property
    def fps(self) -> float:
        """Frames per second of the video."""
        return self._video.fps if self._video is not None else 10.

    @property
    def last_frame(self) -> int:
        """Number of the last frame; 0 without a video."""
        return len(self._video) - 1 if self._video is not None else 0

    def open(self, video: Optional[Video]) -> Answer:
        """Start with a video; objects are forgotten. The picture is its first frame, without marks."""
        self._video = None
        if not is_given(video):
            return Answer('there is no video: upload one')
        try:
            frames = ShortVideo(video, self._max_frames)
        except (ValueError, OSError) as error:
            return Answer(str(error))
        self._video = frames
        self.reset()
        shown = self.show(0)
        return Answer(f'{len(frames)} frames{frames.note()}', shown.pictures)

    def reset(self) -> Answer:
        """Forget all objects; the video stays."""
        self._objects, self._known, self._drawn = {}, {}, {}
        if self._video is None:
            return Answer('there is no video: upload one')
        self.session.open(self._video)
        return self._answer('all objects were removed', [self._frame])

    def show(self, frame: int) -> Answer:
        """A frame to paint on, as it is; whatever is painted on it from now on is new."""
        if self._video is None:
            return Answer('there is no video: upload one')
        self._frame, self._drawn = min(max(int(frame), 0), self.last_frame), {}
        try:
            return Answer(f'frame {self._frame}', [self._video[self._frame]])
        except ValueError as error:
            return Answer(str(error))

    def prompt(self, modes: Sequence[str], given: DemoInput) -> Answer:
        """Add or correct objects on the frame that is shown: its picture and rows of ``VIDEO_HEADERS``.

        Args:
            modes: out of ``VIDEO_MODES``. Without strokes the others add an object of their own.
            given: ``image`` does not count.
        """
        if self._video is None:
            return Answer('there is no video: upload one')
        if not modes or 'Panoptic' in modes:
            return self._answer(f'select at least one of {", ".join(VIDEO_MODES)}', [self._frame])
        try:
            shape = self._video[self._frame].shape[:2]
            strokes = new_strokes(given.layers, shape, self._drawn) if 'Stroke' in modes else {}
            lacking = missing(modes, given, strokes, self._transcriber)
            if lacking:
                return self._answer('; '.join(lacking), [self._frame])
            shared = shared_prompt(modes, given, self._transcriber, self._examples)
            count = self._tell(strokes, shared, given.drawing) if strokes else self._add(None, shared)
        except ValueError as error:
            return self._answer(str(error), [self._frame])
        return self._answer(f'{count} object(s) added or corrected on frame {self._frame}: track them', [self._frame])

    def _tell(self, strokes: Strokes, shared: dict, drawing: str) -> int:
        check_new([number for number in strokes if number not in self._objects], strokes, shared)
        for number, both in strokes.items():
            self._add(number, dict(prompt_of(*both, drawing), **shared))
            self._drawn = joined(self._drawn, {number: both})
        return len(strokes)

    def _add(self, number: Optional[int], prompt: dict) -> int:
        """Add or correct the object of a layer, or add one that has no layer."""
        if number in self._objects:
            found = self.session.refine(self._objects[number], self._frame, **prompt)
        else:
            found = self.session.add(self._frame, **prompt)
            # a negative key is no layer's
            self._objects[-1 - len(self._objects) if number is None else number] = found.id
        self._known[found.id] = found.text or found.label or f'object {found.id}'
        return 1

    def track(self) -> Answer:
        """Follow all objects through the video, both ways: one picture per frame, rows of ``VIDEO_HEADERS``."""
        if self._video is None:
            return Answer('there is no video: upload one')
        if not self._objects:
            return self._answer('there is no object: paint one on a frame', [self._frame])
        try:
            for _ in self.session.track():
                pass
        except (ValueError, RuntimeError) as error:
            return self._answer(str(error), [self._frame])
        return self._answer(f'{len(self._objects)} object(s) in {len(self._video)} frames{self._video.note()}',
                            range(len(self._video)))

    def _answer(self, message: str, frames: Sequence[int]) -> Answer:
        pictures, table = [], []
        for index in frames:
            picture = self._video.picture(index)
            masks = {object_id: mask for object_id in self._known
                     if (mask := self._mask(object_id, index)) is not None and mask.shape == picture.shape[:2]}
            names = [self._known[object_id] for object_id in masks]
            pictures.append(draw(picture, list(masks.values()), names, list(masks)))
            table += [[index, *row_of(self._known[object_id], self.session.score(object_id, index), mask)]
                      for object_id, mask in masks.items() if mask.any()]
        return Answer(message, pictures, table)

    def _mask(self, object_id: int, frame: int) -> Optional[np.ndarray]:
        """Bool mask (H, W); None where the object has not been tracked yet."""
        try:
            return self.session.mask(object_id, frame)
        except KeyError:
            return None
