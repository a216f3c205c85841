"""What all trackers have in common."""
from abc import ABCMeta, abstractmethod
from typing import Any, Callable, Iterator, Sequence

from mmdet.structures import DetDataSample
from torch import Tensor

from ...structures.track import Track
from ..language_models.text_prompt import encode_expressions, read_texts


class GLEETracker(metaclass=ABCMeta):
    """Follows objects through a video that arrives in windows of one or more frames.

    A tracker owns no parameters: it runs the detector on each window, keeps what it needs of it and
    gives the tracks at the end. Its memory does not grow with the video, except for the finished
    run-length masks (a few hundred bytes per object and frame).
    """

    @abstractmethod
    def start(self) -> None:
        """Forget the previous video."""

    @abstractmethod
    def update(self, detector, inputs: Tensor, data_samples: Sequence[DetDataSample]) -> None:
        """Take the next frames of the video.

        Args:
            detector: the ``GLEEVideo``.
            inputs (Tensor): (T, 3, H, W), normalised and padded.
            data_samples (Sequence[DetDataSample]): one per frame, in temporal order.
        """

    @abstractmethod
    def finish(self, detector) -> list[Track]:
        """The tracks of the video; all frames have been given."""

    def apply(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Replace every tensor that is kept, as ``nn.Module`` does where it moves to another device."""
        _map_tensors(self, fn)

    def decode_expressions(self, detector, inputs: Tensor,
                           data_samples: Sequence[DetDataSample]) -> tuple[tuple[str, ...], Iterator]:
        """The expressions of a window and, one after the other, what the head makes of each (``HeadOutputs``).

        The backbone runs once. As many expressions pass together as objects would (``prompt_decoder``), by the pixels
        of all frames. Arguments as of ``update``.

        Raises:
            ValueError: the frames have no expressions, or different ones.
        """
        texts, is_expression = read_texts(data_samples)
        if not is_expression or len(set(texts)) != 1:
            raise ValueError(f'{type(self).__name__} takes the same expressions for all frames of a video, with '
                             "text_mode 'expression'")
        head, feats = detector.panoptic_head, detector.extract_feat(inputs)
        prompt = encode_expressions(head.text_encoder, texts[0])
        length, step = len(inputs), head.prompt_decoder.objects_together(inputs[:, 0].numel(), inputs.device)

        def decoded() -> Iterator:
            for start in range(0, len(texts[0]), step):
                numbers = range(start, min(start + step, len(texts[0])))
                # all frames of an expression, then those of the next; one frame serves all of them as it is
                maps = feats if length == 1 else [feat.repeat(len(numbers), 1, 1, 1) for feat in feats]
                outputs = head.decode(maps, prompt.pick([number for number in numbers for _ in range(length)]),
                                      last_only=True)
                for place in range(len(numbers)):
                    yield outputs.of(slice(place * length, (place + 1) * length))

        return texts[0], decoded()


def _map_tensors(value: Any, fn: Callable[[Tensor], Tensor]) -> Any:
    """The value with every tensor below it replaced; objects are changed in place."""
    if isinstance(value, Tensor):
        return fn(value)
    if isinstance(value, dict):
        return {key: _map_tensors(part, fn) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [_map_tensors(part, fn) for part in value]
        return value._make(parts) if hasattr(value, '_make') else type(value)(parts)
    if hasattr(value, '__dict__'):
        vars(value).update(_map_tensors(vars(value), fn))
    return value
