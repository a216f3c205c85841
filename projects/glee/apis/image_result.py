"""What was found in one picture, as a program handles it."""
import json
import os
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Iterable, Optional, Sequence, Union

import numpy as np
import torch
from mmcv.ops import nms
from mmdet.structures import DetDataSample
from PIL import Image

from ..datasets.store.pictures import read_picture
from ..structures.masks import Rle, area, decode, encode
from ..visualization.renderer import DrawnObject, Renderer
from .result_formats import labelme_dict, yolo_lines


@dataclass(frozen=True)
class ImageResult:
    """Objects of one picture, the best first.

    Attributes:
        path: the file; None for a picture that came from memory.
        shape: (height, width) px of the picture.
        names: name or expression of each of N objects.
        boxes: (N, 4) float32 xyxy px of the original picture.
        scores: (N,) float32 in 0..1.
        rles: N run-length masks at the original size; ``masks`` decodes them. None of a model that was trained on
            boxes alone.
        segments: of a panoptic result, dict(id, name, is_thing, score, area px) of each segment of
            ``segment_map``; None where no stuff was asked for.
        segment_map: (H, W) int32 segment ids, 0 where nothing is.
        image: RGB uint8 (H, W, 3) of a picture from memory; that of a file is read when it is needed.
        ids: (N,) identities of the objects of a video, from 1; None for a picture.
        frame: number of the frame in its video.
        text: what a language model answered; None where none was asked.
        segs: (N,) which [SEG] of ``text`` each object belongs to, from 1; 0 of one that was found without it.
    """
    path: Optional[str]
    shape: tuple[int, int]
    names: list[str]
    boxes: np.ndarray
    scores: np.ndarray
    rles: Optional[list[Rle]] = field(repr=False)
    segments: Optional[list[dict]] = None
    segment_map: Optional[np.ndarray] = field(default=None, repr=False)
    image: Optional[np.ndarray] = field(default=None, repr=False)
    ids: Optional[np.ndarray] = None
    frame: Optional[int] = None
    text: Optional[str] = None
    segs: Optional[np.ndarray] = None

    @classmethod
    def of_sample(cls, sample: DetDataSample, names: Sequence[str], stuff: Sequence[str] = ()) -> 'ImageResult':
        """What a detector predicted of a sample, labels by their place among ``names``, then ``stuff``."""
        found = sample.pred_instances
        order = found.scores.argsort(descending=True, stable=True)
        result = cls(
            path=None, shape=tuple(sample.ori_shape), names=[names[label] for label in found.labels[order].tolist()],
            boxes=found.bboxes[order].float().cpu().numpy(), scores=found.scores[order].float().cpu().numpy(),
            # one by one: sorted as a whole they would be there twice, gigabytes in a large picture
            rles=[encode(found.masks[row].cpu().numpy()) for row in order.tolist()] if 'masks' in found else None)
        if not stuff:
            return result
        panoptic = sample.pred_panoptic_seg
        segment_map, segments = np.zeros(result.shape, np.int32), []
        codes = panoptic.sem_seg[0].cpu().numpy()
        for number, segment in enumerate(panoptic.segments_info, 1):
            segment_map[codes == segment['id']] = number
            segments.append(dict(id=number, name=(*names, *stuff)[segment['label']], is_thing=segment['is_thing'],
                                 score=segment['score'], area=segment['area']))
        return replace(result, segments=segments, segment_map=segment_map)

    @classmethod
    def of_objects(cls, objects: Sequence, shape: Sequence[int], image: Optional[np.ndarray] = None) -> 'ImageResult':
        """Objects of a session in their order, by their text, label or as 'object'; ``shape`` is (height, width)."""
        return cls(
            path=None, shape=tuple(shape), names=[found.text or found.label or 'object' for found in objects],
            boxes=np.array([found.box for found in objects], np.float32).reshape(-1, 4),
            scores=np.array([found.score for found in objects], np.float32), rles=[found.rle for found in objects],
            image=image)

    @classmethod
    def joined(cls, parts: Sequence['ImageResult'], path: Optional[str] = None,
               image: Optional[np.ndarray] = None) -> 'ImageResult':
        """Everything that several results found in one picture, one after the other; maps and size of the first."""
        first = parts[0]
        return cls(
            path=path, shape=first.shape, names=list(chain.from_iterable(part.names for part in parts)),
            boxes=np.concatenate([part.boxes for part in parts]),
            scores=np.concatenate([part.scores for part in parts]),
            rles=None if first.rles is None else list(chain.from_iterable(part.rles for part in parts)),
            segments=first.segments, segment_map=first.segment_map, image=image)

    def above(self, score_thr: float, nms_iou: Optional[float] = None) -> 'ImageResult':
        """The objects of at least this score, without boxes that overlap a better one more than ``nms_iou``."""
        result = self[self.scores >= score_thr]
        if nms_iou is None or not len(result):
            return result
        _, kept = nms(torch.from_numpy(result.boxes), torch.from_numpy(result.scores), nms_iou)
        return result[kept.numpy()]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def masks(self) -> Optional[np.ndarray]:
        """(N, H, W) bool; None without ``rles``."""
        if self.rles is None:
            return None
        return np.stack([decode(rle) for rle in self.rles]) if self.rles else np.zeros((0, *self.shape), bool)

    def __getitem__(self, rows: Union[int, slice, Sequence]) -> 'ImageResult':
        """Some of the objects: a number, a slice, a list of numbers, or (N,) bool."""
        picked = np.atleast_1d(np.arange(len(self))[rows]).tolist()
        return replace(self, names=[self.names[row] for row in picked], boxes=self.boxes[picked],
                       scores=self.scores[picked],
                       rles=None if self.rles is None else [self.rles[row] for row in picked],
                       ids=None if self.ids is None else self.ids[picked],
                       segs=None if self.segs is None else self.segs[picked])

    def plot(self, renderer: Renderer = Renderer(), by: str = 'name', with_scores: bool = True) -> np.ndarray:
        """The picture with its objects drawn, RGB uint8; a small picture is enlarged.

        Args:
            renderer: how it is drawn.
            by: what decides a colour, 'name' or 'object' (its identity in a video).
            with_scores: write the score behind each name.

        Raises:
            ValueError: ``by`` is neither.
        """
        if by not in ('name', 'object'):
            raise ValueError(f"by={by!r}: colours go by 'name' or by 'object'")
        keys = {name: number for number, name in enumerate(sorted(set(self.names)))}
        image = read_picture(self.path) if self.image is None else self.image
        ids = range(len(self)) if self.ids is None else self.ids.tolist()
        marks = [''] * len(self) if self.ids is None else [f'{identity} ' for identity in ids]
        return renderer(image, [
            DrawnObject(box, None if rle is None else decode(rle),
                        f'{mark}{name} {score:.2f}' if with_scores else f'{mark}{name}',
                        keys[name] if by == 'name' else identity)
            for mark, identity, name, box, score, rle in zip(
                marks, ids, self.names, self.boxes, self.scores, self.each_rle())])

    def save(self, path: Union[str, Path], renderer: Renderer = Renderer(), by: str = 'name',
             with_scores: bool = True) -> Path:
        """Write ``plot`` to a picture file; the folder is made. Arguments as of ``plot``."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(self.plot(renderer, by, with_scores)).save(path, quality=92)
        return path

    def to_dict(self) -> dict[str, Any]:
        """Plain values: picture, size and one dict(name, score, box xyxy px, mask RLE if there is one) per object."""
        objects = [dict(name=name, score=round(float(score), 6), box=[round(float(v), 3) for v in box],
                        **({} if rle is None else dict(mask=dict(rle))))
                   for name, score, box, rle in zip(self.names, self.scores, self.boxes, self.each_rle())]
        if self.ids is not None:
            objects = [dict(id=int(identity), **entry) for identity, entry in zip(self.ids, objects)]
        found = dict(image=self.path, height=self.shape[0], width=self.shape[1], objects=objects)
        if self.frame is not None:
            found['frame'] = self.frame
        if self.text is not None:
            found['text'] = self.text
            found['objects'] = [dict(entry, seg=int(seg)) for entry, seg in zip(objects, self.segs)]
        return found if self.segments is None else dict(found, segments=self.segments)

    def to_json(self, path: Union[str, Path, None] = None) -> str:
        """``to_dict`` as JSON, also written to ``path``."""
        text = json.dumps(self.to_dict(), ensure_ascii=False)
        if path is not None:
            Path(path).write_text(text, encoding='utf-8', errors='backslashreplace')  # file names may be no text
        return text

    def to_coco(self, image_id: int, category_ids: dict[str, int]) -> list[dict]:
        """Entries of a COCO result file (boxes xywh px); an object whose name has no category id is left out."""
        return [dict(image_id=image_id, category_id=category_ids[name], score=float(score),
                     bbox=[float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])],
                     **({} if rle is None else dict(segmentation=dict(rle))))
                for name, score, box, rle in zip(self.names, self.scores, self.boxes, self.each_rle())
                if name in category_ids]

    def each_rle(self) -> Sequence[Optional[Rle]]:
        """``rles``, or None for each object."""
        return [None] * len(self) if self.rles is None else self.rles

    def to_labelme(self, path: Union[str, Path]) -> dict:
        """A labelme file, also as a dict; see ``labelme_dict``."""
        picture = None if self.path is None else os.path.relpath(self.path, Path(path).parent)
        content = labelme_dict(self, picture)
        Path(path).write_text(json.dumps(content, ensure_ascii=False), encoding='utf-8', errors='backslashreplace')
        return content

    def to_yolo(self, class_ids: dict[str, int], with_masks: bool = True) -> list[str]:
        """Lines of a YOLO label file, for segmentation or without masks for detection; see ``yolo_lines``."""
        return yolo_lines(self, class_ids, with_masks)

    def to_pandas(self):
        """A ``pandas.DataFrame``, a row per object: image, frame, id, name, score, x1, y1, x2, y2 and area, px.

        The area is that of the mask; ``frame`` and ``id`` are missing values of a picture that is not of a video.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError('to_pandas needs the package pandas: pip install pandas') from error
        boxes = np.asarray(self.boxes, float).reshape(-1, 4)
        ids = [None] * len(self) if self.ids is None else [int(identity) for identity in self.ids]
        return pandas.DataFrame(dict(
            image=[self.path] * len(self), frame=pandas.array([self.frame] * len(self), dtype='Int64'),
            id=pandas.array(ids, dtype='Int64'), name=self.names, score=np.asarray(self.scores, float),
            **{side: boxes[:, column] for column, side in enumerate(('x1', 'y1', 'x2', 'y2'))},
            area=[None if rle is None else area(rle) for rle in self.each_rle()]))

    def to_supervision(self):
        """``supervision.Detections`` with masks, scores and ``data['class_name']``; ``class_id`` numbers the names.

        Raises:
            ImportError: supervision is not installed.
        """
        try:
            from supervision import Detections
        except ImportError as error:
            raise ImportError('to_supervision needs the package supervision: pip install supervision') from error
        order = {name: number for number, name in enumerate(dict.fromkeys(self.names))}
        return Detections(
            xyxy=np.asarray(self.boxes, np.float32).reshape(-1, 4), mask=self.masks, confidence=self.scores,
            class_id=np.array([order[name] for name in self.names], int),
            tracker_id=None if self.ids is None else np.asarray(self.ids, int),
            data=dict(class_name=np.array(self.names, dtype=str)))


class Results(list):
    """``ImageResult`` of several pictures, in order.

    Attributes:
        errors: {picture: message} of those that could not be read and are left out.
    """

    def __init__(self, results: Iterable[ImageResult], errors: dict[str, str]) -> None:
        super().__init__(results)
        self.errors = errors
