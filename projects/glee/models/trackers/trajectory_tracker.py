"""Finding the object of an expression by how it looks and by what it does."""
from typing import Sequence

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from ..text_prompt import encode_expressions, read_texts
from .base_tracker import GLEETracker
from .frame_store import FrameStore
from .minvis_tracker import MinVISTracker
from .track import Track
from .track_builder import build_tracks


@MODELS.register_module()
class TrajectoryTracker(GLEETracker):
    """Follows everything that could be meant through the video and chooses at its end.

    For each expression the queries are linked as by ``MinVISTracker``. Of the ``num_candidates`` tracks with the
    best mean expression score, that with the largest log score plus ``trajectory_weight`` times the log
    probability of the detector's ``trajectory_head`` is taken. Memory: as of ``MinVISTracker``, for each expression.

    Args:
        num_candidates (int): tracks compared by what they do.
        trajectory_weight (float): weight of the trajectory head; 0 chooses by looks alone.
        visible_ratio (float): an object is visible in the frames in which its expression score is at least this
            share of its best.
        **linking: arguments of ``MinVISTracker``.
    """

    def __init__(self, num_candidates: int = 10, trajectory_weight: float = 1.0, visible_ratio: float = 0.5,
                 **linking) -> None:
        self.num_candidates = num_candidates
        self.trajectory_weight = trajectory_weight
        self.visible_ratio = visible_ratio
        self.linking = linking
        self.expressions: tuple[str, ...] = ()
        self.linkers: list[MinVISTracker] = []

    def start(self) -> None:
        """Forget the previous video."""
        for linker in self.linkers:
            linker.start()
        self.expressions, self.linkers = (), []

    def update(self, detector, inputs: Tensor, data_samples: Sequence[DetDataSample]) -> None:
        """Detect what each expression could mean in a window of frames; the backbone runs once."""
        texts, is_expression = read_texts(data_samples)
        if not is_expression or len(set(texts)) != 1:
            raise ValueError('TrajectoryTracker takes the same expressions for all frames of a video, with '
                             "text_mode 'expression'")
        if not self.linkers:
            self.expressions = texts[0]
            self.linkers = [MinVISTracker(**self.linking) for _ in self.expressions]
        feats = detector.extract_feat(inputs)
        for expression, linker in zip(self.expressions, self.linkers):
            prompt = encode_expressions(detector.panoptic_head.text_encoder, [expression])
            prompt = prompt.pick(torch.zeros(len(inputs), dtype=torch.long, device=inputs.device))
            linker.link(detector.panoptic_head.decode(feats, prompt, last_only=True), data_samples)

    def finish(self, detector) -> list[Track]:
        """One track per expression, ``label`` its index, ``score`` the mean expression score.

        Raises:
            ValueError: the detector has no trajectory head.
        """
        if detector.trajectory_head is None:
            raise ValueError("TrajectoryTracker needs the detector's trajectory_head=dict(type='TrajectoryHead')")
        text = detector.panoptic_head.text_encoder(self.expressions)
        tracks = []
        for number, linker in enumerate(self.linkers):
            tracks.append(self._choose(number, linker, detector, text.tokens[[number]], text.mask[[number]]))
        self.start()
        return tracks

    def _choose(self, number: int, linker: MinVISTracker, detector, tokens: Tensor, token_mask: Tensor) -> Track:
        """The track of expression ``number``."""
        logits = (linker.logit_sum / linker.num_frames)[:, 0]
        queries = logits.topk(min(self.num_candidates, len(logits))).indices
        trajectories = read_trajectories(linker.store, queries.tolist(), self.visible_ratio)
        does = detector.trajectory_head(trajectories.to(logits.device), tokens, token_mask)[0].log_softmax(0)
        best = int((torch.nn.functional.logsigmoid(logits[queries]) + self.trajectory_weight * does).argmax())
        query, visible = int(queries[best]), trajectories[best, :, 4].bool().tolist()
        built = build_tracks(linker.store, detector.panoptic_fusion_head, [query], linker.frame_nms,
                             linker.min_mask_pixels, logits.device)[query]
        masks, boxes = ([value if shown else None for value, shown in zip(values, visible)] for values in built)
        return Track(number + 1, number, float(logits[query].sigmoid()), masks, boxes)


def read_trajectories(store: FrameStore, queries: list[int], visible_ratio: float) -> Tensor:
    """Trajectories (N, T, 5), see ``TrajectoryHead``, of N tracks in T stored frames.

    Args:
        store (FrameStore): what ``MinVISTracker`` keeps.
        queries (list[int]): the tracks.
        visible_ratio (float): share of its best score below which a track is not visible; nor is it in a frame
            that did not keep it.
    """
    trajectories, scores = np.zeros((len(queries), len(store), 5), np.float32), np.zeros((len(queries), len(store)))
    for time, frame in enumerate(store):
        position = {int(query): row for row, query in enumerate(frame['tracks'])}
        padded, resized = frame['shapes'][0], frame['shapes'][1]
        scale = np.tile(padded[::-1] / resized[::-1], 2)
        for row, query in enumerate(queries):
            if query in position:
                trajectories[row, time, :4] = frame['boxes'][position[query]] * scale
                scores[row, time] = frame['scores'][position[query]]
    trajectories[..., 4] = (scores > 0) & (scores >= visible_ratio * scores.max(1, keepdims=True))
    return torch.from_numpy(trajectories)
