"""Frames of a video and how well the last of them shows what is sought: what [SCORE] learns from (G5)."""
import json
from pathlib import Path
from typing import Optional, Union

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from ...datasets.store.pictures import read_picture
from ..video.key_frames import reference_frames, score_turns
from .ask_picture import pack


@TRANSFORMS.register_module()
class AskKeyFrame(BaseTransform):
    """A record of a reader of expressions about videos as dialogues with one [SCORE] each.

    Args:
        labels: a file that ``FrameIoUMetric`` wrote of the training videos, with a model that is half trained.
        shown (int): as of ``LanguageKeyFrames``.
        dialogues (int): made of a video, each about a random frame for a random expression.
        least_spread (float): expressions whose IoUs differ by less are left out: their frames are all alike.
    """

    def __init__(self, labels: Union[str, Path], shown: int = 12, dialogues: int = 1,
                 least_spread: float = 0.0) -> None:
        self.labels_file, self.shown, self.dialogues = Path(labels), shown, dialogues
        self.least_spread, self._labels = least_spread, None

    @property
    def labels(self) -> dict[str, list]:
        """IoUs per frame by video and expression, read when they are first needed.

        Raises:
            FileNotFoundError: there is no such file.
        """
        if self._labels is None:
            if not self.labels_file.is_file():
                raise FileNotFoundError(f'{self.labels_file}: no labels of key frames; FrameIoUMetric writes them when '
                                        'a model is tested on the training videos (docs/language_model.md)')
            self._labels = {name: ious for name, ious in json.loads(self.labels_file.read_text()).items()
                            if spread_of(ious) >= self.least_spread}
        return self._labels

    def transform(self, results: dict) -> Optional[list[dict]]:
        """A dialogue per chosen frame; None of a video without a label."""
        info, rng = results['video_info'], np.random.default_rng(np.random.randint(2**31))
        known = [(text, ious) for text, ious in (
            (text, self.labels.get(f'{info["name"]}_{entry["exp_id"]}')) for text, entry in zip(
                results['text'], info['expressions'])) if ious is not None]
        choices = [(text, frame, iou) for text, ious in known for frame, iou in enumerate(ious) if iou is not None]
        if not choices:
            return None
        asked = [choices[number] for number in rng.integers(len(choices), size=self.dialogues)]
        return [self._ask(results, *one) for one in asked]

    def _ask(self, results: dict, text: str, frame: int, iou: float) -> dict:
        reference = reference_frames(results['video_length'], self.shown, frame)
        pictures = [read_picture(one['img_path']) for one in results['expand'](results, [*reference, frame])]
        return pack(pictures, score_turns(text, len(reference)), [], [], frame_scores=[iou], said=[])


def spread_of(ious: list[Optional[float]]) -> float:
    """Difference of the best and the worst frame, 0 without any that is known."""
    known = [iou for iou in ious if iou is not None]
    return max(known) - min(known) if known else 0.
