"""A dialogue about a video: questions, masks through all of it, and objects of earlier answers to point at (G10)."""
from typing import Optional, Sequence

import numpy as np
import torch

from ..apis.image_result import ImageResult
from ..structures.masks import encode
from .dialogue import PointedObject
from .picture_dialogue import name_of
from .pointing import object_at
from .reasoning_segmentor import mask_boxes
from .video.frame_reasoner import FrameAnswer
from .video.key_frames import KeyFrameScorer
from .video.sweep import sweep
from .video.video_segmentor import VideoReasoningSegmentor


class VideoDialogue:
    """Questions about one video, one after the other; objects of earlier answers can be pointed at.

    Each question goes through the video on its own, as the model is trained; what it knows of earlier ones are the
    objects that it points at. Every answer is one object, which may be absent.

    Example:
        >>> dialogue = glee.open_video_dialogue('film.mp4')
        >>> first = dialogue.ask('the one that stopped moving')
        >>> [(frame.frame, frame.names, frame.boxes) for frame in first]
        >>> dialogue.ask('the one that passes {1}')  # the object of the first answer

    Args:
        model (VideoReasoningSegmentor): in eval mode.
        frames (Sequence[np.ndarray]): RGB uint8 (H, W, 3), any sequence that reads them when they are asked for.
        names (Sequence[str] | None): as of ``PictureDialogue``.
        scorer (KeyFrameScorer | None): as of ``sweep``.

    Attributes:
        objects (list[PointedObject | None]): of all answers so far, in order, as they are in the frame in which the
            model is surest; None where GLEE has no such object.
    """

    def __init__(self, model: VideoReasoningSegmentor, frames: Sequence[np.ndarray],
                 names: Optional[Sequence[str]] = None, scorer: Optional[KeyFrameScorer] = None) -> None:
        self.model, self.frames, self.names, self.scorer = model, frames, names, scorer
        self.objects: list[Optional[PointedObject]] = []

    def ask(self, question: str) -> list[ImageResult]:
        """The object that a question means, one result per frame, without objects where it is absent.

        Args:
            question (str): ``{n}`` in it is the n-th object of the dialogue, from 1.

        Raises:
            ValueError: the question is empty or points at an object that is not there.
        """
        if not question.strip():
            raise ValueError('ask() got an empty question')
        found = sweep(self.model, self.frames, question, self.scorer, pointed=self.objects)
        known = [(answer, answer.object) for answer in sorted(found.answers, key=lambda one: -one.score)]
        surest = next(((answer.found, number) for answer, number in known if number is not None), None)
        self.objects.append(None if surest is None else object_at(*surest))
        name = 'object' if surest is None else name_of(self.model, *surest, self.names)
        return [self._result(answer, frame, name) for frame, answer in enumerate(found.answers)]

    def _result(self, answer: FrameAnswer, frame: int, name: str) -> ImageResult:
        masks = answer.mask[None][:int(answer.mask.any())]
        count = len(masks)
        return ImageResult(
            path=None, shape=answer.found.shape, names=[name] * count,
            boxes=mask_boxes(torch.from_numpy(masks)).numpy(),
            scores=np.array([answer.score] * count, np.float32), rles=[encode(mask) for mask in masks],
            ids=np.full(count, len(self.objects)), frame=frame, text=answer.text, segs=np.ones(count, int))
