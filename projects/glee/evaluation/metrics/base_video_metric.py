"""What all metrics of videos have in common."""
import json
import logging
from abc import abstractmethod
from pathlib import Path
from typing import Sequence

from mmdet.evaluation.metrics.base_video_metric import BaseVideoMetric
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from ...structures.finished_items import FinishedItems
from ..functional.unscored import drop_unscored
from ..functional.video_record import VideoRecord, frame_record


class VideoMetric(BaseVideoMetric):
    """Scores videos that arrive in windows of frames.

    A subclass gives ``score_video`` (plain data of one video) and ``summarise`` (numbers of all). The
    annotations come with the samples (``instances``, at the original size), the tracks with the last
    window of a video (``pred_tracks``).

    Videos without an annotated frame (``annotated``) are not scored: their truth is not published. Where that
    holds for all, the metric only writes files. Numbers behind which there is no annotation are left out.

    Args:
        outfile_prefix (str | None): also write the tracks in the benchmark's submission format; see the
            ``write`` method of each metric.
        format_only (bool): write without scoring.
        resume_dir (str | None): keep each finished video here until the evaluation is complete, so that
            a killed one goes on where it stopped; give ``WindowSampler`` the same folder.
        collect_device, prefix: as in the base class.

    Raises:
        ValueError: ``format_only`` without ``outfile_prefix``, or windows out of order.
    """

    def __init__(self, outfile_prefix: str | None = None, format_only: bool = False,
                 resume_dir: str | None = None, collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if format_only and outfile_prefix is None:
            raise ValueError(f'{type(self).__name__}: format_only=True needs outfile_prefix')
        self.outfile_prefix, self.format_only = outfile_prefix, format_only
        self.finished = None if resume_dir is None else FinishedItems(resume_dir)
        self._frames: list[dict] = []
        self._folders: dict[str, int | str] = {}

    @abstractmethod
    def score_video(self, video: VideoRecord) -> dict:
        """What the summary needs to know of one video, which has an annotated frame."""

    @abstractmethod
    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """The numbers of all videos; None for one behind which there is no annotation."""

    def submission(self, video: VideoRecord) -> list | dict | None:
        """One video's part of the result file."""

    def folder_of(self, video: VideoRecord, *parts: str) -> Path:
        """The folder of a video's result files, below ``outfile_prefix`` and ``parts``.

        Raises:
            ValueError: another video has it.
        """
        folder = Path(self.outfile_prefix, *parts, video.name)
        owner = self._folders.setdefault(str(folder), video.video_id)
        if owner != video.video_id:
            raise ValueError(f'videos {owner} and {video.video_id} are both called {video.name!r}, so that their '
                             f'result files in {folder} would overwrite each other: give them names of their own')
        return folder

    def write(self, submissions: list) -> None:
        """Write the result file from the parts of all videos."""

    def is_scored(self, video: VideoRecord) -> bool:
        """Whether what the metric scores is annotated in the video."""
        return bool(video.annotated)

    def sort_key(self, video: VideoRecord) -> int | str:
        """The order of the videos, which ranks tracks of equal score: by id, numbers by value."""
        return video.video_id

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Collect windows and score a video when its last one is there."""
        for clip in data_samples:
            samples = clip['video_data_samples']
            self._frames += [frame_record(sample) for sample in samples]
            if [frame['frame_id'] for frame in self._frames] != list(range(len(self._frames))):
                raise ValueError(f'video {samples[0].video_id}: windows are missing or out of order; test with '
                                 'WindowSampler and batch_size=1')
            if 'pred_tracks' not in clip:
                continue
            info = dict(samples[0].metainfo.get('video_info', {}), video_id=samples[0].video_id)
            video = VideoRecord(info, tuple(samples[0].text), self._frames, clip['pred_tracks'])
            self._frames = []
            if self.finished is not None:
                self.finished.save(video.video_id, video.to_json())
            self.results.append(self._result(video))

    def _result(self, video: VideoRecord) -> dict:
        scored = not self.format_only and self.is_scored(video)
        return dict(
            video_id=video.video_id,
            sort_key=self.sort_key(video),
            scores=self.score_video(video) if scored else None,
            submission=None if self.outfile_prefix is None else self.submission(video))

    def evaluate(self, size: int = 1) -> dict:
        """Score all videos, those of an interrupted run included."""
        if self.finished is not None and is_main_process():
            own = {result['video_id'] for result in self.results}
            videos = (VideoRecord.from_json(content) for content in self.finished)
            earlier = [self._result(video) for video in videos if video.video_id not in own]
            self.results += earlier
            if earlier:
                print_log(f'{len(earlier)} videos finished by an interrupted evaluation are taken from '
                          f'{self.finished.folder}', logger='current', level=logging.WARNING)
        return super().evaluate(size)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Write the result file and summarise."""
        unique = {result['video_id']: result for result in results}  # distributed samplers repeat the last ones
        results = sorted(unique.values(), key=lambda result: (isinstance(result['sort_key'], str), result['sort_key']))
        if self.outfile_prefix is not None:
            self.write([result['submission'] for result in results])
        metrics = {} if self.format_only else self._summarise_scored([result['scores'] for result in results])
        if self.finished is not None:
            self.finished.remove()
        return metrics

    def _summarise_scored(self, scores: list[dict | None]) -> dict[str, float]:
        """The numbers of the videos whose annotations are there."""
        name, scored = type(self).__name__, [video for video in scores if video is not None]
        if len(scored) < len(scores):
            consequence = ('these are not scored' if scored else 'nothing is scored, the results are only written' if
                           self.outfile_prefix else 'nothing is scored; give outfile_prefix to write the results')
            print_log(f'{name}: {len(scores) - len(scored)} of {len(scores)} videos have no annotations of this '
                      f'kind, as where these are not published: {consequence}', logger='current', level=logging.WARNING)
        return drop_unscored(name, self.summarise(scored)) if scored else {}


def dump_json(content, path: str | Path) -> Path:
    """Write JSON and return the path; the folder is made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
