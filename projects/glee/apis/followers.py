"""Ways of following objects through a video, one per kind of question; each takes frame after frame."""
from abc import ABCMeta, abstractmethod
from typing import Iterator, Optional, Sequence

import numpy as np
import torch
from mmdet.structures import DetDataSample
from torch import Tensor

from ..models.prompts.reference_prompt import ReferencePrompt
from ..models.trackers.expression_tracker import ExpressionTracker
from ..models.trackers.online_linker import OnlineLinker
from ..models.trackers.prompt_tracker import PromptTracker
from ..structures.masks import encode
from ..structures.prompted_objects import ObjectPrompts
from .image_result import ImageResult
from .interactive_session import InteractiveSession
from .picture_geometry import PictureGeometry
from .reference_video import track_reference
from .session_image import SessionImage


class Follower(metaclass=ABCMeta):
    """Takes the frames of a video one after the other; its memory does not grow."""

    @abstractmethod
    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """The objects of the next frame.

        Args:
            image (np.ndarray): RGB uint8 (H, W, 3).
            frame (int): its number in the video.
        """


class NameFollower(Follower):
    """Every object of some names (``OnlineLinker``)."""

    def __init__(self, model, geometry: PictureGeometry, names: Sequence[str], score_thr: float,
                 max_per_img: int) -> None:
        self.model, self.geometry, self.names = model, geometry, tuple(names)
        self.linker = OnlineLinker(score_thr=score_thr, max_per_img=max_per_img)

    @torch.no_grad()
    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """See ``Follower``; the best object first."""
        inputs, sample = prepare(self.model, self.geometry, image, self.names, 'category')
        found = self.linker.step(self.model, inputs, sample, self.names)
        return ImageResult(
            path=None, shape=image.shape[:2], names=[self.names[label] for label in found.labels.tolist()],
            boxes=found.bboxes.float().cpu().numpy(), scores=found.scores.float().cpu().numpy(),
            rles=[encode(mask) for mask in found.masks.cpu().numpy()], ids=found.instances_ids.numpy(), frame=frame,
            image=image)


class ExpressionFollower(Follower):
    """The object of each sentence (``ExpressionTracker``); identity k is sentence k, from 1."""

    def __init__(self, model, geometry: PictureGeometry, expressions: Sequence[str], score_thr: float) -> None:
        self.model, self.geometry, self.expressions = model, geometry, tuple(expressions)
        self.tracker = ExpressionTracker(min_score=score_thr)

    @torch.no_grad()
    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """See ``Follower``; in the order of the sentences, without those whose object is absent."""
        inputs, sample = prepare(self.model, self.geometry, image, self.expressions, 'expression')
        self.tracker.update(self.model, inputs, [sample])
        shown = [(number, *seen) for number, seen in enumerate(self.tracker.take_last()) if seen[1] is not None]
        numbers, scores, rles, boxes = zip(*shown) if shown else ((), (), (), ())
        return ImageResult(
            path=None, shape=image.shape[:2], names=[self.expressions[number] for number in numbers],
            boxes=np.array(boxes, np.float32).reshape(-1, 4), scores=np.array(scores, np.float32), rles=list(rles),
            ids=np.array(numbers, int) + 1, frame=frame, image=image)


class PromptFollower(Follower):
    """Objects that were pointed at on some frames (``PromptTracker``); identities count from 1 in that order.

    Args:
        model (GLEE): the detector, with a prompter.
        geometry (PictureGeometry): the size of its frames.
        prompts (dict[int, Sequence[dict]]): per frame the new objects, keywords of ``InteractiveSession.add``.
        score_thr (float): below this probability an object counts as absent.
    """

    def __init__(self, model, geometry: PictureGeometry, prompts: dict[int, Sequence[dict]], score_thr: float) -> None:
        self.model, self.geometry = model, geometry
        self.session = InteractiveSession(model)
        self.prompts = {int(frame): [given] if isinstance(given, dict) else list(given)
                        for frame, given in prompts.items()}
        self.tracker = PromptTracker(min_score=score_thr)
        self.names: list[str] = []

    @torch.no_grad()
    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """See ``Follower``; objects that are absent are left out."""
        seen = SessionImage.prepare(self.model, image, self.geometry)
        if frame in self.prompts:
            self.session.set_image(image)
            found = self.session.add_many(self.prompts.pop(frame))
            first = len(self.names) + 1
            self.names += [one.text or f'object {first + number}' for number, one in enumerate(found)]
            seen.sample.prompts = ObjectPrompts(
                masks=torch.stack([seen.warp(one.mask) for one in found]), kinds=['mask'] * len(found),
                instance_ids=torch.arange(first, first + len(found)))
        self.tracker.update(self.model, seen.batch, [seen.sample])
        shown = [(identity, followed.scores[-1], followed.track.segmentations[-1], followed.track.bboxes[-1])
                 for identity, followed in self.tracker.objects.items() if followed.track.segmentations[-1] is not None]
        self.tracker.take_last()
        ids, scores, rles, boxes = zip(*shown) if shown else ((), (), (), ())
        return ImageResult(
            path=None, shape=image.shape[:2], names=[self.names[identity - 1] for identity in ids],
            boxes=np.array(boxes, np.float32).reshape(-1, 4), scores=np.array(scores, np.float32), rles=list(rles),
            ids=np.array(ids, int), frame=frame, image=image)


class ReferenceFollower(Follower):
    """The object of another picture (``track_reference`` with the memory of its last sure sighting); identity 1.

    Args:
        model (GLEE): the detector, with a prompter.
        reference (ReferencePrompt): the encoded object.
        score_thr (float): below this score the object counts as absent.
    """

    def __init__(self, model, reference: ReferencePrompt, score_thr: float) -> None:
        self.image: Optional[np.ndarray] = None
        self.found = track_reference(InteractiveSession(model), self._images(), reference, 'prev', score_thr)

    def _images(self) -> Iterator[np.ndarray]:
        while True:
            yield self.image

    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """See ``Follower``; nothing where the object is absent."""
        self.image = image
        one = next(self.found)
        seen = [] if one is None else [one]
        return ImageResult(
            path=None, shape=image.shape[:2], names=['reference'] * len(seen),
            boxes=np.array([one.box for one in seen], np.float32).reshape(-1, 4),
            scores=np.array([one.score for one in seen], np.float32), rles=[one.rle for one in seen],
            ids=np.ones(len(seen), int), frame=frame, image=image)


def prepare(model, geometry: PictureGeometry, image: np.ndarray, text: Sequence[str],
            text_mode: str) -> tuple[Tensor, DetDataSample]:
    """One frame as the detector takes it: ``inputs`` (1, 3, H, W) and its sample."""
    resized = geometry(image)
    sample = DetDataSample(metainfo=dict(img_path=None, ori_shape=image.shape[:2], img_shape=resized.shape,
                                         text=tuple(text), text_mode=text_mode))
    data = model.data_preprocessor(dict(inputs=[resized.inputs], data_samples=[sample]), False)
    return data['inputs'], data['data_samples'][0]
