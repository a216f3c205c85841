"""Training of the trajectory head."""
from typing import Sequence

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from ...detectors.glee_video import GLEEVideo


@MODELS.register_module()
class GLEETrajectories(GLEEVideo):
    """``GLEEVideo`` of which only the trajectory head is trained, from annotated boxes and sentences.

    No picture is needed, so the training takes minutes. Everything else stays as it is, and the checkpoint
    is one of ``GLEEVideo``.

    Args:
        trajectory_head (dict): config of the head.
        **kwargs: as for ``GLEEVideo``.
    """

    def __init__(self, *args, trajectory_head: dict, **kwargs) -> None:
        super().__init__(*args, trajectory_head=trajectory_head, **kwargs)
        self.requires_grad_(False)
        self.trajectory_head.requires_grad_(True)

    def train(self, mode: bool = True) -> 'GLEETrajectories':
        """The head alone changes its mode."""
        super().train(False)
        self.training = mode
        self.trajectory_head.train(mode)
        return self

    def loss(self, batch_inputs: Sequence[Tensor], batch_data_samples: Sequence[DetDataSample]) -> dict[str, Tensor]:
        """The head's loss, the mean over the videos.

        Args:
            batch_inputs (Sequence[Tensor]): per video the trajectories (N, T, 5) of its objects.
            batch_data_samples (Sequence[DetDataSample]): per video ``text``, K sentences, and ``referred``,
                bool (K, N).
        """
        losses = []
        for trajectories, sample in zip(batch_inputs, batch_data_samples):
            with torch.no_grad():
                words = self.panoptic_head.text_encoder.embed_tokens(sample.text)
            losses.append(self.trajectory_head.loss(trajectories, *words, sample.referred))
        return dict(loss_trajectory=torch.stack(losses).mean())
