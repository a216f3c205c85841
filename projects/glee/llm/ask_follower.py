"""A question through a video, as one more way of following objects."""
from typing import Optional, Sequence

import numpy as np

from ..apis.followers import Follower
from ..apis.frame_reader import FrameReader, VideoSource
from ..apis.image_result import ImageResult
from ..structures.masks import encode
from .picture_dialogue import PictureDialogue
from .reasoning_segmentor import ReasoningSegmentor
from .video.frame_reasoner import FrameReasoner
from .video.frame_sampler import context_frames, past_context
from .video.video_segmentor import VideoReasoningSegmentor


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
        self.count = 0

    def step(self, image: np.ndarray, frame: int) -> ImageResult:
        """See ``Follower``; in the order of the questions, without those whose object is absent."""
        found = self._of_video(image) if isinstance(self.model, VideoReasoningSegmentor) else self._of_picture(image)
        shown = [(number, mask, score) for number, (mask, score) in enumerate(found) if mask.any()]
        boxes = [(xs[0], ys[0], xs[-1] + 1, ys[-1] + 1) for ys, xs in (
            (mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]) for _, mask, _ in shown)]
        return ImageResult(
            path=None, shape=image.shape[:2], names=[self.questions[number] for number, _, _ in shown],
            boxes=np.array(boxes, np.float32).reshape(-1, 4), rles=[encode(mask) for _, mask, _ in shown],
            scores=np.array([score for _, _, score in shown], np.float32),
            ids=np.array([number + 1 for number, _, _ in shown], int), frame=frame, image=image)

    def _of_picture(self, image: np.ndarray) -> list[tuple[np.ndarray, float]]:
        results = [PictureDialogue(self.model, image).ask(question) for question in self.questions]
        return [(result.masks.any(0), float(result.scores.mean()) if len(result) else 0.) for result in results]

    def _of_video(self, image: np.ndarray) -> list[tuple[np.ndarray, float]]:
        context = self.context
        if context is None:
            context = self._past(image)
        if not self.reasoners:
            self.reasoners = [FrameReasoner(self.model, question, context) for question in self.questions]
        elif self.context is None:
            for reasoner in self.reasoners:
                reasoner.show_context(context)
        answers = [reasoner.step(image) for reasoner in self.reasoners]
        return [(answer.mask, answer.score) for answer in answers]

    def _past(self, image: np.ndarray) -> list[np.ndarray]:
        """Context of what has been: of the frames so far those that are kept, the nearest to what is wanted."""
        self.past[self.count] = image
        picked = [self.past[min(self.past, key=lambda known: abs(known - wanted))]
                  for wanted in past_context(self.count)]
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
        context = [reader[numbers[place]] for place in context_frames(len(numbers))]
    return AskFollower(model, questions, context)
