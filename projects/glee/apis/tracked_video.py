"""A video whose objects are followed: results frame by frame, or files of all of them."""
from itertools import chain
from pathlib import Path
from typing import Iterator, Union

import numpy as np
from rich.progress import track

from ..visualization.renderer import Renderer
from ..visualization.video_writer import VideoWriter
from .followers import Follower
from .frame_reader import VideoFrames
from .image_result import ImageResult
from .overlapping import read_ahead, writing_behind
from .track_writers import CsvTracks, JsonTracks, MaskTracks, MotTracks


class TrackedVideo:
    """Iterate over it once for one ``ImageResult`` per frame, or ``save`` it. Memory does not grow with the video.

    A frame that cannot be read is left out.

    Args:
        video (VideoFrames): frames to read.
        followers (list[Follower]): what follows the objects; their results are joined.

    Attributes:
        errors (dict[int, str]): {frame: message} of frames that could not be read, so far, and at the end of those that
            somebody pointed at but that never came.
        num_frames, num_tracks (int): so far.
    """

    def __init__(self, video: VideoFrames, followers: list[Follower]) -> None:
        self.video, self.followers = video, followers
        self.errors: dict[int, str] = {}
        self.num_frames = self.num_tracks = 0
        self._frames = self._run()

    def __iter__(self) -> Iterator[ImageResult]:
        return self._frames

    def _run(self) -> Iterator[ImageResult]:
        awaited = set(self.video.also)
        for number, image in self.video.frames:
            awaited.discard(number)
            if isinstance(image, ValueError):
                self.errors[number] = str(image)
                continue
            if not self.video.is_asked(number):
                for follower in self.followers:
                    follower.glance(image, number)
                continue
            result = joined([follower.step(image, number) for follower in self.followers])
            self.num_frames += 1
            self.num_tracks = max([self.num_tracks, *result.ids.tolist()])
            yield result
        self.errors.update((number, f'the video ended before frame {number}, in which something was pointed at')
                           for number in sorted(awaited))

    def save(self, path: Union[str, Path, None] = None, json: Union[str, Path, None] = None,
             csv: Union[str, Path, None] = None, mot: Union[str, Path, None] = None,
             masks: Union[str, Path, None] = None, renderer: Renderer = Renderer(min_side=0),
             by: str = 'object', show_progress: bool = True) -> 'TrackedVideo':
        """Follow the objects to the end of the video and write what is asked for, frame by frame.

        Frames are read ahead and written behind the model, two at most, each in a thread of its own.

        Args:
            path: mp4 with the objects drawn, see ``VideoWriter``.
            json: see ``JsonTracks``.
            csv: see ``CsvTracks``.
            mot: see ``MotTracks``.
            masks: folder, see ``MaskTracks``.
            renderer, by: how objects are drawn, as of ``ImageResult.plot``.
            show_progress: a progress bar.

        Raises:
            ValueError: nothing is asked for, or a file cannot hold it.
        """
        writers = [writer(target) for writer, target in (
            (JsonTracks, json), (CsvTracks, csv), (MotTracks, mot), (MaskTracks, masks)) if target is not None]
        if path is None and not writers:
            raise ValueError('say what to write: a video, json=, csv=, mot= or masks=')
        video = None if path is None else VideoWriter(path, self.video.fps)
        self.video = self.video._replace(frames=read_ahead(self.video.frames))
        frames = track(self, 'frames', total=self.video.length, transient=True) if show_progress else self

        def write(result: ImageResult) -> None:
            for writer in writers:
                writer.write(result)
            if video is not None:
                video.write(result.plot(renderer, by))

        try:
            with writing_behind() as behind:
                for result in frames:
                    behind(write, result)
        finally:
            for writer in [*writers, *([] if video is None else [video])]:
                writer.close()
        return self


def joined(results: list[ImageResult]) -> ImageResult:
    """What several followers found in one frame; identities of later ones come after all of those before."""
    if len(results) == 1:
        return results[0]
    first, said = results[0], [result.text for result in results if result.text is not None]
    segs = [np.zeros(len(result), int) if result.segs is None else result.segs for result in results]
    return ImageResult(
        path=None, shape=first.shape, names=list(chain.from_iterable(result.names for result in results)),
        boxes=np.concatenate([result.boxes for result in results]),
        scores=np.concatenate([result.scores for result in results]),
        rles=list(chain.from_iterable(result.rles for result in results)),
        ids=np.concatenate([result.ids * len(results) - (len(results) - 1 - k) for k, result in enumerate(results)]),
        frame=first.frame, image=first.image, text=' '.join(said) if said else None,
        segs=np.concatenate(segs) if said else None)
