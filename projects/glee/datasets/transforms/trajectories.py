"""Videos as what their objects do: boxes over time, no pictures."""
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures import DetDataSample

from ...structures.sample_text import read_names


@TRANSFORMS.register_module()
class LoadTrajectories(BaseTransform):
    """Boxes over time of all annotated objects of a video with sentences.

    In training, a random flip and disturbances like those of a detector keep the few videos from being
    learned by heart. Sentences are those of the flipped video after ``SwapSidesOnFlip``.

    Args:
        flip_prob (float): of a horizontal flip.
        noise (float): standard deviation added to cx, cy, w, h, relative to the image.
        drop_prob (float): of an object not being seen in a frame.
    """

    def __init__(self, flip_prob: float = 0.0, noise: float = 0.0, drop_prob: float = 0.0) -> None:
        self.flip_prob, self.noise, self.drop_prob = flip_prob, noise, drop_prob

    def transform(self, results: dict) -> dict | None:
        """A video record to ``trajectories`` (N, T, 5), see ``TrajectoryHead``, ``text`` and ``referred`` (K, N).

        None, so that another video takes its place, if it has no objects.
        """
        frames = [frame for frame in results['expand'](results, range(results['video_length'])) if frame['annotated']]
        ids = sorted({record['instance_id'] for frame in frames for record in frame['instances']})
        if not ids:
            return None
        trajectories = np.zeros((len(ids), len(frames), 5), np.float32)
        for time, frame in enumerate(frames):
            for record in frame['instances']:
                x1, y1, x2, y2 = record['bbox']
                width, height = results['width'], results['height']
                trajectories[ids.index(record['instance_id']), time] = (
                    (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height, 1)
        referred = [[number in expression['object_ids'] for number in ids]
                    for expression in results['video_info']['expressions']]
        flip = np.random.random() < self.flip_prob
        return dict(
            trajectories=self._disturb(trajectories, flip), text=list(results['text']), referred=np.array(referred),
            flip=flip, flip_direction='horizontal', img_path=results['video_info']['name'])

    def _disturb(self, trajectories: np.ndarray, flip: bool) -> np.ndarray:
        if flip:
            trajectories[..., 0] = 1 - trajectories[..., 0]
        trajectories[..., :4] += self.noise * np.random.standard_normal(trajectories[..., :4].shape)
        trajectories[..., 4] *= np.random.random(trajectories.shape[:2]) >= self.drop_prob
        return trajectories


@TRANSFORMS.register_module()
class PackTrajectories(BaseTransform):
    """``inputs`` float (N, T, 5) and a ``DetDataSample`` with ``text`` and ``referred``."""

    def transform(self, results: dict) -> dict:
        """Pack one video."""
        path = results['img_path']
        sample = DetDataSample(metainfo=dict(text=read_names(results['text'], f'`text` of {path}'), img_path=path))
        sample.referred = torch.from_numpy(results['referred'])
        return dict(inputs=torch.from_numpy(results['trajectories']).float(), data_samples=sample)
