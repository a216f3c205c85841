"""What all metrics of videos have in common."""
import json
import logging
from abc import abstractmethod
from pathlib import Path
from typing import Sequence

from mmdet.evaluation.metrics.base_video_metric import BaseVideoMetric
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from ..functional.finished_videos import FinishedVideos
from ..functional.video_record import VideoRecord, frame_record


class VideoMetric(BaseVideoMetric):
    """Scores videos that arrive in windows of frames.

    A subclass gives ``score_video`` (plain data of one video) and ``summarise`` (numbers of all). The
    annotations come with the samples (``instances``, at the original size), the tracks with the last
    window of a video (``pred_tracks``).

    Args:
        outfile_prefix (str | None): also write the tracks in the benchmark's submission format; see the
            ``write`` method of each metric.
        format_only (bool): write without scoring, where the annotations are hidden.
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
        self.finished = None if resume_dir is None else FinishedVideos(resume_dir)
        self._frames: list[dict] = []

    @abstractmethod
    def score_video(self, video: VideoRecord) -> dict:
        """What the summary needs to know of one video."""

    @abstractmethod
    def summarise(self, scores: list[dict]) -> dict[str, float]:
        """The numbers of all videos."""

    def submission(self, video: VideoRecord) -> list | dict | None:
        """One video's part of the result file."""

    def write(self, submissions: list) -> None:
        """Write the result file from the parts of all videos."""

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
                self.finished.save(video)
            self.results.append(self._result(video))

    def _result(self, video: VideoRecord) -> dict:
        return dict(
            video_id=video.video_id,
            scores=None if self.format_only else self.score_video(video),
            submission=None if self.outfile_prefix is None else self.submission(video))

    def evaluate(self, size: int = 1) -> dict:
        """Score all videos, those of an interrupted run included."""
        if self.finished is not None and is_main_process():
            own = {result['video_id'] for result in self.results}
            earlier = [video for video in self.finished.load() if video.video_id not in own]
            self.results += [self._result(video) for video in earlier]
            if earlier:
                print_log(f'{len(earlier)} videos finished by an interrupted evaluation are taken from '
                          f'{self.finished.folder}', logger='current', level=logging.WARNING)
        return super().evaluate(size)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Write the result file and summarise, in the order of the video ids."""
        unique = {result['video_id']: result for result in results}  # distributed samplers repeat the last ones
        results = [unique[key] for key in sorted(unique, key=str)]
        if self.outfile_prefix is not None:
            self.write([result['submission'] for result in results])
        metrics = {} if self.format_only else self.summarise([result['scores'] for result in results])
        if self.finished is not None:
            self.finished.remove()
        return metrics


def dump_json(content, path: str | Path) -> Path:
    """Write JSON and return the path; the folder is made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
