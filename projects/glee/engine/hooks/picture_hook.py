"""Pictures and videos of predictions while testing, none of which overwrites another."""
import os.path as osp
from pathlib import Path
from typing import Iterator, Optional, Sequence

import mmcv
import numpy as np
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.fileio import get

from ...datasets.store.output_names import below, claim
from ...datasets.store.pictures import read_picture
from ...structures.masks import decode
from ...structures.track import track_instances
from ...visualization.renderer import DrawnObject
from ...visualization.video_writer import VideoWriter


@HOOKS.register_module()
class PictureHook(DetVisualizationHook):
    """mmdet's ``DetVisualizationHook`` for pictures, videos and rounds of clicks, from any number of folders.

    A picture is called as below the folders that the data sets have in common (``train2014/a.jpg``); a second one of a
    name gets a number (``a_2.jpg``). Pictures are read as the pipeline reads them; a black one stands for one that
    cannot be read. A video is an mp4 called as the folder of its frames, written when its last window is done. Of a
    picture with rounds of clicks there is one per kind of first prompt (``a_box.jpg``), with the clicks and the last
    masks.

    Args:
        frames (bool): a folder of pictures for each video instead of an mp4.
        fps (float): of videos.
        **kwargs: as for ``DetVisualizationHook``.
    """

    def __init__(self, frames: bool = False, fps: float = 10., **kwargs) -> None:
        super().__init__(**kwargs)
        self.frames, self.fps = frames, fps
        # Frames of the video whose windows are coming in, without masks; whether its objects were pointed at.
        self._seen: list[DetDataSample] = []
        self._given = False

    def before_test(self, runner) -> None:
        """Loops that play the user keep the masks for pictures."""
        if self.draw and hasattr(runner.test_loop, 'keep_masks'):
            runner.test_loop.keep_masks = True

    def after_val_iter(self, runner, batch_idx: int, data_batch: dict, outputs: Sequence) -> None:
        """Hand the first picture of every so many batches to the backends; of videos nothing."""
        if self.draw and (runner.iter + batch_idx) % self.interval == 0 and isinstance(outputs[0], DetDataSample):
            self._visualizer.add_datasample(
                'val_img', self._read(outputs[0]), data_sample=outputs[0], show=self.show, wait_time=self.wait_time,
                pred_score_thr=self.score_thr, step=runner.iter + batch_idx)

    def after_test_iter(self, runner, batch_idx: int, data_batch: dict, outputs: Sequence) -> None:
        """Draw every sample of a batch."""
        for sample in outputs if self.draw else ():
            if isinstance(sample, TrackDataSample):
                self._draw_video(runner, sample)
            elif isinstance(sample, dict):
                self._draw_rounds(runner, sample)
            else:
                self._visualizer.add_datasample(
                    self._title(sample.img_path), self._read(sample), data_sample=sample, show=self.show,
                    wait_time=self.wait_time, pred_score_thr=self.score_thr,
                    out_file=self._out_file(runner, sample.img_path), step=self._count())

    def _draw_video(self, runner, clip: TrackDataSample) -> None:
        """Remember the frames of a window; draw all of them when the tracks are there."""
        if clip[0].frame_id == 0:
            self._seen, self._given = [], False
        self._given |= any('prompts' in frame for frame in clip)
        self._seen += [DetDataSample(metainfo=frame.metainfo) for frame in clip]
        if 'pred_tracks' not in clip:
            return
        first, writer = self._seen[0].img_path, None
        folder = osp.dirname(first)
        if self.test_out_dir is not None and not self.frames:
            writer = VideoWriter(self._out_file(runner, f'{folder}.mp4'), self.fps)
        for number, frame in enumerate(self._seen):
            frame.pred_track_instances = track_instances(clip.pred_tracks, number, frame.ori_shape[:2])
            picture = self._visualizer.draw(self._read(frame), frame, draw_gt=False,
                                            pred_score_thr=0 if self._given else self.score_thr)
            if writer is not None:
                writer.write(picture)
            if writer is None or self.show:
                self._visualizer.add_drawn(
                    self._title(frame.img_path), picture, self.show, self.wait_time,
                    None if writer is not None else self._out_file(runner, frame.img_path), self._count())
            del frame.pred_track_instances
        if writer is not None:
            writer.close()
        self._seen = []

    def _draw_rounds(self, runner, result: dict) -> None:
        """One picture per kind of first prompt."""
        by_kind: dict[str, list[DrawnObject]] = {}
        for curve in result['curves']:
            if 'mask' in curve:  # not if it was measured before pictures were wanted, or the picture is unreadable
                count = len(curve['clicks'])
                rounds = f'{count} click{"s" * (count > 1)}, ' if count else ''
                by_kind.setdefault(curve['kind'], []).append(DrawnObject(
                    mask=decode(curve['mask']), label=f'{rounds}IoU {curve["ious"][-1]:.2f}', key=curve['object'],
                    clicks=curve['clicks']))
        image = read_picture(get(result['img_path'], backend_args=self.backend_args)) if by_kind else None
        for kind, objects in by_kind.items():
            path = Path(result['img_path'])
            named = str(path.with_stem(f'{path.stem}_{kind}'))
            self._visualizer.add_drawn(
                self._title(named), self._visualizer.renderer(image, objects), self.show, self.wait_time,
                self._out_file(runner, named), self._count())

    # ---- names ----
    def _title(self, path: str) -> str:
        return osp.basename(path) if self.show else 'test_img'

    def _count(self) -> int:
        self._test_index += 1
        return self._test_index

    def _out_file(self, runner, path: str) -> Optional[str]:
        """The file for what is drawn of ``path``; None if nothing is written."""
        if self.test_out_dir is None:
            return None
        folder = Path(runner.work_dir, runner.timestamp, self.test_out_dir)
        roots = list(dict.fromkeys(picture_folders(runner.test_dataloader.dataset)))
        return str(claim(folder / below(path, roots)))

    def _read(self, sample: DetDataSample) -> np.ndarray:
        """RGB uint8 (H, W, 3) at the size of the sample's masks."""
        height, width = sample.ori_shape[:2]
        if sample.get('unreadable'):
            return np.zeros((height, width, 3), np.uint8)
        image = read_picture(get(sample.img_path, backend_args=self.backend_args))
        return image if image.shape[:2] == (height, width) else mmcv.imresize(image, (width, height))


def picture_folders(dataset) -> Iterator[str]:
    """The folders of the pictures of a data set, or of those that it wraps."""
    wrapped = [*getattr(dataset, 'datasets', ()), *filter(None, [getattr(dataset, 'dataset', None)])]
    for part in wrapped:
        yield from picture_folders(part)
    if not wrapped:
        prefix = getattr(dataset, 'data_prefix', None) or {}
        folder = prefix.get('img') or prefix.get('img_path') or getattr(dataset, 'data_root', None)
        if folder:
            yield folder
