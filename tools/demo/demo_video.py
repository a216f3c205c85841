"""What the demo does on a video: find objects by name or sentence, or point at them on any frame, and follow them."""
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional

import numpy as np
from demo_image import CLICKS, Question, shared_prompt
from demo_pictures import Answer, View, table_of

from projects.glee.apis import GLEEInferencer, ImageResult, TrackedVideo, VideoSession, open_frames
from projects.glee.apis.followers import Follower
from projects.glee.apis.track_writers import JsonTracks
from projects.glee.visualization import Renderer
from projects.glee.visualization.video_writer import VideoWriter
from projects.glee_cli.serving.uploads import ShortVideo

NO_VIDEO = 'There is no video yet: give one.'
NOTHING_ASKED = 'Type names or a sentence, or click on an object of a frame; then press Track.'
_SMALLEST = 480  # px, longest side of a video that is written
Progress = Callable[[float, str], None]
Share = Callable[[Iterator], Iterator]


class Tracks(NamedTuple):
    """Files of a tracked video, and what is said about it; None where nothing was tracked."""
    message: str
    video: Optional[Path] = None
    json: Optional[Path] = None


class _Pointed(Follower):
    """What a session knows of each frame."""

    def __init__(self, session: VideoSession) -> None:
        self.session = session

    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """See ``Follower``; an object is told apart by its number, which is drawn beside its name."""
        found = self.session.result(frame)
        return replace(found, names=['object' if name == f'object {identity}' else name
                                     for name, identity in zip(found.names, found.ids)])


class VideoDemo:
    """One user's video and the objects in it; no method raises for what the user forgot.

    Args:
        glee: the model.
        carve_radius: as of ``InteractiveSession``.
    """

    def __init__(self, glee: GLEEInferencer, carve_radius: float = 0.) -> None:
        self._glee, self._carve_radius = glee, carve_radius
        self.session: Optional[VideoSession] = None
        self.video: Optional[ShortVideo] = None
        self._clicks: dict[int, dict[int, tuple]] = {}  # by frame, by object
        self._latest: Optional[int] = None

    def open(self, video: ShortVideo) -> Answer:
        """Start with a video, at its first frame."""
        self.session = self._glee.open_video(video, carve_radius=self._carve_radius)
        self.video, self._clicks, self._latest = video, {}, None
        answer = self.show(0)
        return Answer(f'{video.note}. {NOTHING_ASKED}', answer.picture)

    @property
    def last_frame(self) -> int:
        """Its number; 0 without a video."""
        return 0 if self.video is None else len(self.video) - 1

    def show(self, frame: int) -> Answer:
        """A frame with the objects that are known there."""
        if self.video is None:
            return Answer(NO_VIDEO)
        frame = min(max(int(frame), 0), self.last_frame)
        return self._answer(frame, f'frame {frame} of {self.last_frame}')

    def click(self, frame: int, x: float, y: float, meaning: str) -> Answer:
        """Segment what is under a click on a frame at once.

        Args:
            frame: its number, from 0.
            x, y: px of what is shown.
            meaning: one of ``CLICKS``; the others than the first are about the object of the last click.
        """
        if self.video is None:
            return Answer(NO_VIDEO)
        frame = min(max(int(frame), 0), self.last_frame)
        if meaning != CLICKS[0] and self._latest is None:
            return self._answer(frame, f'There is no object yet: click with "{CLICKS[0]}" first.')
        try:
            point = (*View.of(self.video[frame].shape).place(x, y), -1 if meaning == CLICKS[2] else 1)
            if meaning == CLICKS[0]:
                found = self.session.add(frame, points=[point])
            else:
                found = self.session.refine(self._latest, frame, points=[point])
        except ValueError as error:
            return Answer(str(error))
        self._latest = found.id
        marks = self._clicks.setdefault(frame, {})
        marks[found.id] = (*marks.get(found.id, ()), point)
        told = f'object {found.id} on frame {frame}: score {found.score:.2f}, {found.area} px. Press Track.'
        return self._answer(frame, told)

    def reset(self, frame: int) -> Answer:
        """Forget all objects; the video stays."""
        if self.video is None:
            return Answer(NO_VIDEO)
        self.session.reset()
        self._clicks, self._latest = {}, None
        answer = self.show(frame)
        return Answer('all objects were removed', answer.picture)

    def track(self, given: Question, folder: Path, progress: Progress, share: Share = iter) -> Tracks:
        """Follow what is named and what was clicked on through the video; result.mp4 and result.json in ``folder``.

        Args:
            given: ``names``, ``sentence``, the example, ``asked`` and ``min_score`` count.
            folder: exists.
            progress: called with the share that is done and what is being done.
            share: takes the steps of the model as an iterator and gives them back, as of ``Turns.each``.
        """
        if self.video is None:
            return Tracks(NO_VIDEO)
        try:
            followers = self._followers(given)
            if self._clicks:
                self.session.min_score = given.min_score
                for number, _ in enumerate(share(self.session.track()), 1):
                    progress(number / len(self.video) / 2, 'following what was clicked on')
                followers.append(_Pointed(self.session))
            if not followers:
                return Tracks(NOTHING_ASKED)
            return self._write(TrackedVideo(open_frames(self.video), followers), folder, progress, share)
        except ValueError as error:
            return Tracks(str(error))

    def _followers(self, given: Question) -> list[Follower]:
        """Of names, sentence, example and question."""
        shared = shared_prompt(given, self._glee)
        asked = dict(names=list(given.names) or None, expressions=shared.get('text'),
                     reference=shared.get('reference'), ask=given.asked.strip() or None)
        if all(value is None for value in asked.values()):
            return []
        return self._glee.track(self.video, score_thr=given.min_score, **asked).followers

    def _write(self, tracked: TrackedVideo, folder: Path, progress: Progress, share: Share) -> Tracks:
        """Step through the video and write it."""
        begun, count, ids = (0.5 if self._clicks else 0.), len(self.video), set()
        with ExitStack() as files:
            video = VideoWriter(folder / 'result.mp4', self.video.fps)
            files.callback(video.close)
            rows = JsonTracks(folder / 'result.json')
            files.callback(rows.close)
            for result in share(iter(tracked)):
                ids.update(result.ids.tolist())
                rows.write(result)
                video.write(result.plot(Renderer(min_side=_SMALLEST, with_boxes=False), by='object'))
                progress(begun + (1 - begun) * (result.frame + 1) / count, f'frame {result.frame + 1} of {count}')
        lost = f'; {len(tracked.errors)} frames cannot be read' if tracked.errors else ''
        if not tracked.num_frames:
            return Tracks(f'no frame of {self.video.name} can be read')
        return Tracks(f'{len(ids)} object(s) in {tracked.num_frames} frames{lost}', folder / 'result.mp4',
                      folder / 'result.json')

    def _answer(self, frame: int, message: str) -> Answer:
        try:
            picture = self.video[frame]
        except ValueError as error:
            return Answer(str(error))
        found = self.session.result(frame)
        marks = self._clicks.get(frame, {})
        ids = found.ids.tolist()
        clicks = {row: marks[identity] for row, identity in enumerate(ids) if identity in marks}
        return Answer(message, View.of(picture.shape).draw(picture, found, clicks, ids), table_of(found))
