"""Expressions about videos as dialogues about their frames (GLUS)."""
from typing import Optional

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures import DetDataSample, TrackDataSample

from ...apis.frame_reader import FrameReader
from ...datasets.store.pictures import read_picture
from ...structures.masks import decode, to_rle, union
from ..video.contrastive import SaidObject
from ..video.frame_reasoner import frame_turns
from ..video.frame_sampler import CONTEXT, WINDOW, sample_context, sample_window
from . import templates

_FRAME_KEYS = ('img_path', 'img_id', 'frame_id', 'annotated', 'void', 'instances', 'text', 'video_id', 'video_info',
               'video_length', 'ori_video_length')


@TRANSFORMS.register_module()
class AskVideo(BaseTransform):
    """A record of a reader of videos as dialogues: some frames of all of it, then a window with a question per frame.

    Readers of expressions (Ref-YouTube-VOS, Ref-DAVIS, MeViS, ReVOS, ReasonVOS) say which objects each of them means,
    whose masks are joined; of readers of categories (LV-VIS) each name that the video shows is an expression.

    Args:
        expressions (int): dialogues made of a video, of as many expressions.
        context, window (int): frames of each kind.
        first (float): share of windows that begin with the video, where a pass begins, too; others begin anywhere.
        random_wording (bool): templates of questions at random.
        source (str): name of the data set, for the contrastive loss.
    """

    def __init__(self, expressions: int = 3, context: int = CONTEXT, window: int = WINDOW, random_wording: bool = True,
                 source: str = '', first: float = 0.0) -> None:
        self.expressions, self.context, self.window = expressions, context, window
        self.random_wording, self.source, self.first = random_wording, source, first

    def transform(self, results: dict) -> Optional[list[dict]]:
        """Dialogues (``VideoReasoningSegmentor``) that share their frames; None of a video shorter than a window."""
        length = results['video_length']
        if length < self.window:
            return None
        rng = np.random.default_rng(np.random.randint(2**31))
        window = sample_window(self.window if rng.random() < self.first else length, rng, self.window)
        chosen = [*sample_context(length, rng, self.context), *window]
        frames = results['expand'](results, chosen)
        said = said_of(frames[0])
        if not said:
            return None
        pictures, packed = [read_picture(frame['img_path']) for frame in frames], []
        asked = list(range(self.context, len(frames)))
        for number in rng.permutation(len(said))[:self.expressions].tolist():
            text, objects = said[number]
            masks = [mask_of(frames[place], objects) for place in asked]
            question = templates.put(text, templates.FRAME, rng if self.random_wording else None)
            turns = frame_turns(question, self.context, self.window, [f'{templates.FORCED}[SEG].'] * self.window, text)
            sources = [SaidObject(self.source, results['video_id'], number, chosen[place], frozenset(objects))
                       for place in asked]
            packed.append(dict(inputs=pictures, data_samples=DetDataSample(metainfo=dict(
                turns=turns, gt_masks=masks, seg_pictures=asked, said=sources, ori_shape=pictures[-1].shape[:2]))))
        return packed


@TRANSFORMS.register_module()
class ShowVideo(BaseTransform):
    """A whole video at test: its frames, read when they are needed, and a sample that metrics of videos take."""

    def transform(self, results: dict) -> dict:
        """``inputs``, a ``FrameReader``, and a ``TrackDataSample``."""
        frames = []
        for frame in results['frames']:
            meta = {key: frame[key] for key in _FRAME_KEYS if key in frame}
            frames.append(DetDataSample(metainfo=dict(meta, ori_shape=(frame['height'], frame['width']))))
        sample = TrackDataSample()
        sample.video_data_samples = frames
        return dict(inputs=FrameReader([frame['img_path'] for frame in results['frames']]), data_samples=sample)


def said_of(frame: dict) -> list[tuple[str, list[int]]]:
    """Expressions of a video and the identities that each means; of categories all objects of a name."""
    expressions, text = frame['video_info'].get('expressions'), frame['text']
    if expressions is not None:
        return [(sentence, list(entry['object_ids'])) for sentence, entry in zip(text, expressions)]
    named: dict[int, list[int]] = {}
    for instance in frame['instances']:
        named.setdefault(instance['bbox_label'], []).append(instance['instance_id'])
    return [(text[label].replace('_', ' '), ids) for label, ids in sorted(named.items())]


def mask_of(frame: dict, objects: list[int]) -> np.ndarray:
    """(H, W) bool, all pixels of some objects of a frame."""
    size = frame['height'], frame['width']
    rles = [to_rle(instance['mask'], *size) for instance in frame['instances']
            if instance['instance_id'] in objects and instance.get('mask') is not None]
    return decode(union(rles)) if rles else np.zeros(size, bool)
