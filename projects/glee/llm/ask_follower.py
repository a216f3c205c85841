"""A question through a video, as one more way of following objects."""
from typing import NamedTuple, Optional, Sequence

import numpy as np
import torch

from ..apis.followers import Follower
from ..apis.frame_reader import FrameReader, VideoSource
from ..apis.image_result import ImageResult
from ..structures.masks import encode
from .picture_dialogue import PictureDialogue, name_of
from .reasoning_segmentor import ReasoningSegmentor, mask_boxes
from .video.frame_reasoner import FrameReasoner
from .video.frame_sampler import context_frames, past_context
from .video.video_segmentor import VideoReasoningSegmentor


class Found(NamedTuple):
    """The object of a question in a frame: mask bool (H, W), score in 0..1, the model's words, GLEE's name of it."""
    mask: np.ndarray
    score: float
    text: str
    name: str


class AskFollower(Follower):
    """The object that each question means; identity k is question k, from 1.

    A model of videos sees frames of the whole video where it has an end, else of what has been; a model of pictures
    is asked about every frame anew.

    Args:
        model (ReasoningSegmentor): in eval mode.
        questions (Sequence[str]): what is sought.
        context (Sequence[np.ndarray] | None): frames of the whole video, RGB uint8 (H, W, 3); None for a live one.
    """

    def __init__(self, model: ReasoningSegmentor, questions: Sequence[str],
                 context: Optional[Sequence[np.ndarray]] = None) -> None:
        self.model, self.questions, self.context = model, tuple(questions), context
        self.reasoners: list[FrameReasoner] = []
        self.past: dict[int, np.ndarray] = {}
        self.names: dict[int, str] = {}  # number of a question: what GLEE calls its object
        self.count = 0

    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """See ``Follower``; in the order of the questions, without those whose object is absent.

        ``text`` is what the model says of those that are there, ``names`` what GLEE called each when it first saw it.
        """
        found = self._of_video(image) if isinstance(self.model, VideoReasoningSegmentor) else self._of_picture(image)
        shown = [(number, one) for number, one in enumerate(found) if one.mask.any()]
        for number, one in shown:
            if one.name != 'object':
                self.names.setdefault(number, one.name)
        said = [one.text.count('[SEG]') for _, one in shown]
        return ImageResult(
            path=None, shape=image.shape[:2], names=[self.names.get(number, 'object') for number, _ in shown],
            boxes=mask_boxes(torch.from_numpy(np.array([one.mask for _, one in shown]))).numpy(),
            rles=[encode(one.mask) for _, one in shown],
            scores=np.array([one.score for _, one in shown], np.float32),
            ids=np.array([number + 1 for number, _ in shown], int), frame=frame, image=image,
            text=' '.join(one.text for _, one in shown), segs=np.cumsum([0, *said])[:len(shown)] + 1)

    def _of_picture(self, image: np.ndarray) -> list['Found']:
        results = [PictureDialogue(self.model, image).ask(question) for question in self.questions]
        return [Found(result.masks.any(0), float(result.scores.mean()) if len(result) else 0., result.text,
                      result.names[0] if len(result) else 'object') for result in results]

    def _of_video(self, image: np.ndarray) -> list['Found']:
        context = self.context
        if context is None:
            context = self._past(image)
        if not self.reasoners:
            self.reasoners = [FrameReasoner(self.model, question, context) for question in self.questions]
        elif self.context is None:
            for reasoner in self.reasoners:
                reasoner.show_context(context)
        answers = [reasoner.step(image) for reasoner in self.reasoners]
        return [Found(answer.mask, answer.score, answer.text, name_of(self.model, answer.found, answer.object))
                for answer in answers]

    def _past(self, image: np.ndarray) -> list[np.ndarray]:
        """Context of what has been: of the frames so far those that are kept, the nearest to what is wanted."""
        self.past[self.count] = image
        picked = [self.past[min(self.past, key=lambda known: abs(known - wanted))]
                  for wanted in past_context(self.count, self.model.context)]
        self.count += 1
        if len(self.past) > 16:  # every second one of the older half
            older = sorted(self.past)[:8]
            for number in older[1::2]:
                del self.past[number]
        return picked


def follow_questions(model: ReasoningSegmentor, questions: Sequence[str], video: VideoSource, start: int,
                     end: Optional[int], stride: int) -> AskFollower:
    """The follower of some questions; of a video with an end, the frames of its context are read first."""
    context = None
    is_live = isinstance(video, int) or hasattr(video, '__next__') or isinstance(video, str) and '://' in video
    if isinstance(model, VideoReasoningSegmentor) and not is_live:
        reader = video if isinstance(video, FrameReader) else FrameReader(video)
        numbers = range(len(reader))[start:end:stride]
        context = [reader[numbers[place]] for place in context_frames(len(numbers), model.context)]
    return AskFollower(model, questions, context)
