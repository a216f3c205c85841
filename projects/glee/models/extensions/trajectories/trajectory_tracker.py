"""Finding the object of an expression by how it looks and by what it does."""
from typing import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from torch import Tensor

from ....structures.track import Track
from ...trackers.base_tracker import GLEETracker
from ...trackers.frame_store import FrameStore
from ...trackers.minvis_tracker import MinVISTracker
from ...trackers.track_builder import build_tracks


@MODELS.register_module()
class TrajectoryTracker(GLEETracker):
    """Follows everything that could be meant through the video and chooses at its end.

    For each expression the queries are linked as by ``MinVISTracker``. Of the ``num_candidates`` tracks that fit it
    best where they are visible, that with the largest log fitness plus ``trajectory_weight`` times the log
    probability of the detector's ``trajectory_head`` is taken. Memory: as of ``MinVISTracker``, for each expression.

    Args:
        num_candidates (int): tracks compared by what they do.
        trajectory_weight (float): weight of the trajectory head; 0 chooses by looks alone.
        visible_ratio (float): an object is visible in the frames in which its expression score is at least this
            share of its best.
        **linking: arguments of ``MinVISTracker``.
    """

    def __init__(self, num_candidates: int = 10, trajectory_weight: float = 0.5, visible_ratio: float = 0.3,
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
        expressions, outputs = self.decode_expressions(detector, inputs, data_samples)
        if not self.linkers:
            self.expressions = expressions
            self.linkers = [MinVISTracker(**self.linking) for _ in expressions]
        for linker, output in zip(self.linkers, outputs):
            linker.link(output, data_samples)

    def finish(self, detector) -> list[Track]:
        """One track per expression, ``label`` its index, ``score`` its fitness.

        Raises:
            ValueError: the detector has no trajectory head.
        """
        if detector.trajectory_head is None:
            raise ValueError("TrajectoryTracker needs the detector's trajectory_head=dict(type='TrajectoryHead')")
        tokens, mask = detector.panoptic_head.text_encoder.embed_tokens(self.expressions)
        tracks = [self._choose(number, linker, detector, tokens[[number]], mask[[number]])
                  for number, linker in enumerate(self.linkers)]
        self.start()
        return tracks

    def _choose(self, number: int, linker: MinVISTracker, detector, tokens: Tensor, token_mask: Tensor) -> Track:
        """The track of expression ``number``."""
        device = linker.logit_sum.device
        queries, trajectories, fitness = read_trajectories(linker.store, self.visible_ratio)
        fitness, leaders = fitness.topk(min(self.num_candidates, len(fitness)))
        queries, trajectories = queries[leaders], trajectories[leaders]
        deeds = detector.trajectory_head(trajectories.to(device), tokens, token_mask)[0].log_softmax(0).cpu()
        best = int((F.logsigmoid(fitness) + self.trajectory_weight * deeds).argmax())
        query = int(queries[best])
        masks, boxes = build_tracks(linker.store, detector.panoptic_fusion_head, [query], linker.frame_nms,
                                    linker.min_mask_pixels, device)[query]
        visible = trajectories[best, :, 4].bool().tolist()
        masks, boxes = ([value if seen else None for value, seen in zip(values, visible)] for values in (masks, boxes))
        return Track(number + 1, number, float(fitness[best].sigmoid()), masks, boxes)


def read_trajectories(store: FrameStore, visible_ratio: float) -> tuple[Tensor, Tensor, Tensor]:
    """The N tracks that the last of T stored frames kept.

    Args:
        store (FrameStore): what ``MinVISTracker`` keeps.
        visible_ratio (float): a track is not visible where its score is less than this share of its best; nor is
            it in a frame that did not keep it.

    Returns:
        tuple: the tracks (N,), their trajectories (N, T, 5), see ``TrajectoryHead``, and their fitness (N,), the mean
        logit where they are visible.
    """
    frames = [{key: frame[key] for key in ('tracks', 'scores', 'boxes', 'shapes')} for frame in store]  # no masks
    queries = torch.from_numpy(frames[-1]['tracks'])
    trajectories, scores = torch.zeros(len(queries), len(frames), 5), torch.zeros(len(queries), len(frames))
    for time, frame in enumerate(frames):
        row = {int(query): index for index, query in enumerate(frame['tracks'])}
        kept = [index for index, query in enumerate(queries.tolist()) if query in row]
        rows = [row[int(queries[index])] for index in kept]
        padded, resized = frame['shapes'][0], frame['shapes'][1]
        scale = torch.tensor([*padded[::-1], *padded[::-1]]) / torch.tensor([*resized[::-1], *resized[::-1]])
        trajectories[kept, time, :4] = torch.from_numpy(frame['boxes'][rows]) * scale
        scores[kept, time] = torch.from_numpy(frame['scores'][rows])
    visible = (scores > 0) & (scores >= visible_ratio * scores.amax(1, keepdim=True))
    trajectories[..., 4] = visible.float()
    fitness = (scores.logit(1e-6) * visible).sum(1) / visible.sum(1)
    return queries, trajectories, fitness
