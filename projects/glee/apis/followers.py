"""Ways of following objects through a video, one per kind of question; each takes frame after frame."""
from abc import ABCMeta, abstractmethod
from typing import Iterator, Optional, Sequence, Union

import numpy as np
import torch
from mmdet.structures import DetDataSample
from torch import Tensor

from ..models.prompts.reference_prompt import ReferencePrompt
from ..models.trackers.expression_tracker import ExpressionTracker
from ..models.trackers.online_linker import OnlineLinker
from ..models.trackers.prompt_tracker import PromptTracker
from ..structures.masks import encode
from ..structures.sample_text import read_names
from .image_result import ImageResult
from .interactive_session import InteractiveSession
from .picture_geometry import PictureGeometry
from .reference_video import track_reference
from .session_image import SessionImage
from .video_objects import Start, follow


class Follower(metaclass=ABCMeta):
    """Takes the frames of a video one after the other; its memory does not grow."""

    @abstractmethod
    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """The objects of the next frame.

        Args:
            image (np.ndarray): RGB uint8 (H, W, 3).
            frame (int): its number in the video.
        """

    def glance(self, image: np.ndarray, frame: int) -> None:
        """A frame that is read because something is pointed at in it, but that is not asked for."""


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
        self.model, self.geometry, self.expressions = model.answering('expression'), geometry, tuple(expressions)
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
        self.session, self.geometry = InteractiveSession(model), geometry
        self.model = self.session.model
        self.prompts = dict(prompts)
        self.tracker = PromptTracker(min_score=score_thr)
        self.names: list[str] = []

    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """See ``Follower``; objects that are absent are left out, and without any the model does not see the frame."""
        shown = {}
        if frame in self.prompts or self.tracker.has_live:
            seen = SessionImage.prepare(self.model, image, self.geometry).encoded(self.model)
            found = follow(self.tracker, self.model, seen, self._starts(seen, frame))
            shown = {identity: one for identity, one in found.items() if one.rle is not None}
        return ImageResult(
            path=None, shape=image.shape[:2], names=[self.names[identity - 1] for identity in shown],
            boxes=np.array([one.box for one in shown.values()], np.float32).reshape(-1, 4),
            scores=np.array([one.score for one in shown.values()], np.float32),
            rles=[one.rle for one in shown.values()], ids=np.array(list(shown), int), frame=frame, image=image)

    def glance(self, image: np.ndarray, frame: int) -> None:
        """See ``Follower``."""
        self.step(image, frame)

    def _starts(self, seen: SessionImage, frame: int) -> dict[int, Start]:
        """The objects that are pointed at in a frame."""
        prompts = self.prompts.pop(frame, [])
        if not prompts:
            return {}
        self.session.show(seen)
        meant = [self.session.read_keywords(prompt, number) for number, prompt in enumerate(prompts)]
        found = self.session.add_prompts(meant)
        self.session.clear()
        first = len(self.names) + 1
        self.names += [one.text or f'object {first + number}' for number, one in enumerate(found)]
        return {first + number: Start.of(one, prompt, self.tracker.min_score)
                for number, (one, prompt) in enumerate(zip(found, meant))}


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


def followers_of(model, geometry: PictureGeometry, score_thr: float, max_per_img: int,
                 names: Union[str, Sequence[str], None], expressions: Union[str, Sequence[str], None],
                 pointed: Optional[dict[int, Sequence[dict]]], reference: Optional[ReferencePrompt]) -> list[Follower]:
    """Who follows what is asked for, each by the weights that know it; what is None is not asked for.

    Args:
        model (GLEE): the detector, with a prompter where something is pointed at.
        geometry: of its frames.
        score_thr: below this score an object counts as absent.
        max_per_img: objects by name in a frame at most.
        names, expressions: as of ``GLEEInferencer.track``.
        pointed: as of ``PromptFollower``.
        reference: an object of another picture.

    Raises:
        ValueError: a name or an expression is empty, or there is none.
    """
    followers: list[Follower] = []
    if names is not None:
        asked = read_names(names, 'names')
        followers += [NameFollower(detector, geometry, [asked[position] for position in positions], score_thr,
                                   max_per_img) for detector, positions in model.share_names(asked)]
    if expressions is not None:
        followers.append(ExpressionFollower(model, geometry, read_names(expressions, 'expressions'), score_thr))
    if pointed is not None:
        followers.append(PromptFollower(model, geometry, pointed, score_thr))
    if reference is not None:
        followers.append(ReferenceFollower(model, reference, score_thr))
    return followers


def prepare(model, geometry: PictureGeometry, image: np.ndarray, text: Sequence[str],
            text_mode: str) -> tuple[Tensor, DetDataSample]:
    """One frame as the detector takes it: ``inputs`` (1, 3, H, W) and its sample."""
    resized = geometry(image)
    sample = DetDataSample(metainfo=dict(img_path=None, ori_shape=image.shape[:2], img_shape=resized.shape,
                                         text=tuple(text), text_mode=text_mode))
    data = model.data_preprocessor(dict(inputs=[resized.inputs], data_samples=[sample]), False)
    return data['inputs'], data['data_samples'][0]
