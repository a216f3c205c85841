"""What all trackers have in common."""
from abc import ABCMeta, abstractmethod
from typing import Sequence

from mmdet.structures import DetDataSample
from torch import Tensor

from .track import Track


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
