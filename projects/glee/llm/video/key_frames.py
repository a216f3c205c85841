"""Ways to choose the frame from which an expression is followed."""
import json
from pathlib import Path
from typing import Optional, Protocol, Sequence, Union

import numpy as np
import torch
from torch import Tensor

from ..dialogue import Turn
from ..object_encoder import ObjectEncoder
from .video_segmentor import VideoReasoningSegmentor

QUESTION = ('Does the last image provide enough information for localizing and segmenting the {} in the images '
            'before it?')


class KeyFrameScorer(Protocol):
    """Scores [T] of the frames of a video for an expression; ``key`` names video and expression."""

    def __call__(self, frames: Sequence[np.ndarray], expression: str,
                 key: Optional[tuple[str, str]] = None) -> Sequence[float]:
        """See the class."""


class GLEEKeyFrames:
    """How sure GLEE itself is of the expression: the best query's probability times the stability of its mask.

    Args:
        encoder (ObjectEncoder): the frozen GLEE.
    """

    def __init__(self, encoder: ObjectEncoder) -> None:
        self.encoder = encoder

    @torch.no_grad()
    def __call__(self, frames: Sequence[np.ndarray], expression: str,
                 key: Optional[tuple[str, str]] = None) -> list[float]:
        """See ``KeyFrameScorer``."""
        head = self.encoder.model.panoptic_head
        text, scores = head.encode_expressions([expression]).embeds, []
        for frame in frames:
            found = self.encoder(frame, expression)
            probability = head.name_logits(found.queries[None].to(text), text)[0, :, 0].float().sigmoid()
            best = int(probability.argmax())
            mask = torch.einsum('c,chw->hw', found.mask_embeds[best].float(), found.pixels.float())
            scores.append(float(probability[best]) * stability(mask))
        return scores


class FileKeyFrames:
    """Key frames that another program chose: a JSON file {"{video}_{expression}": frame}.

    Args:
        path: the file.

    Raises:
        ValueError: it holds something else.
    """

    def __init__(self, path: Union[str, Path]) -> None:
        self.path, self.frames = path, json.loads(Path(path).read_text())
        if not isinstance(self.frames, dict) or not all(isinstance(one, int) for one in self.frames.values()):
            raise ValueError(f'{path} must hold an object {{"video_expression": frame}}')

    def __call__(self, frames: Sequence[np.ndarray], expression: str,
                 key: Optional[tuple[str, str]] = None) -> list[float]:
        """See ``KeyFrameScorer``.

        Raises:
            KeyError: the file lacks this expression.
            ValueError: its frame is not in the video.
        """
        name = '_'.join(key or ())
        if name not in self.frames:
            raise KeyError(f'{self.path} has no key frame of {name!r}')
        if not 0 <= self.frames[name] < len(frames):
            raise ValueError(f'{self.path}: frame {self.frames[name]} of {name!r} is not in a video of {len(frames)}')
        return [float(number == self.frames[name]) for number in range(len(frames))]


class LanguageKeyFrames:
    """The language model's own [SCORE]: some frames of the video with the asked one, then that again (GLUS, one model).

    Args:
        model (VideoReasoningSegmentor): in eval mode, trained on [SCORE].
        shown (int): evenly spaced frames of the video at most.
    """

    def __init__(self, model: VideoReasoningSegmentor, shown: int = 12) -> None:
        self.model, self.shown = model, shown

    @torch.no_grad()
    def __call__(self, frames: Sequence[np.ndarray], expression: str,
                 key: Optional[tuple[str, str]] = None) -> list[float]:
        """See ``KeyFrameScorer``."""
        scores = []
        for asked, frame in enumerate(frames):
            reference = [frames[number] for number in reference_frames(len(frames), self.shown, asked)]
            tokens, read = self.model.read(score_turns(expression, len(reference)),
                                           self.model.see([*reference, frame], [expression] * (len(reference) + 1)))
            scores.append(float(self.model.scores(tokens.ids, self.model.reader([read])[0])[0]))
        return scores


def reference_frames(length: int, shown: int, asked: int) -> list[int]:
    """Evenly spaced frames of a video, ``shown`` at most, the one nearest to frame ``asked`` replaced by it."""
    numbers = np.unique(np.linspace(0, length - 1, min(shown, length)).round().astype(int))
    numbers[np.abs(numbers - asked).argmin()] = asked
    return numbers.tolist()


def build_scorer(model: VideoReasoningSegmentor, kind: str, **settings) -> KeyFrameScorer:
    """The scorer of a config.

    Args:
        model (VideoReasoningSegmentor): the model.
        kind (str): 'glee', 'llm' or 'file'.
        settings: of the class.

    Raises:
        ValueError: there is no such kind.
    """
    if kind == 'file':
        return FileKeyFrames(**settings)
    if kind == 'glee':
        return GLEEKeyFrames(model.glee, **settings)
    if kind == 'llm':
        return LanguageKeyFrames(model, **settings)
    raise ValueError(f"key_frames.kind={kind!r} must be 'glee', 'llm' or 'file'")


def score_turns(expression: str, reference: int) -> list[Turn]:
    """The dialogue about picture ``reference`` after ``reference`` others, with its [SCORE]."""
    return [Turn((*range(reference), reference, QUESTION.format(expression.removeprefix('the '))), '[SCORE]',
                 expression)]


def stability(mask: Tensor) -> float:
    """How little a mask (h, w) of logits depends on its threshold: IoU of logit > 1 and logit > -1."""
    inner, outer = int((mask > 1).sum()), int((mask > -1).sum())
    return inner / outer if outer else 0.
