"""Objects of a vocabulary through a video that has not ended: MinVIS's linking, answered frame by frame."""
from collections import deque
from typing import Sequence

import torch
from mmcv.ops import nms
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from ...structures.selected_queries import SelectedQueries
from .minvis_tracker import QueryLinker


class OnlineLinker:
    """Links queries as ``MinVISTracker`` does, and says after each frame which tracks are in it.

    A track's name and score are those of its mean logits over the last ``vote_length`` frames, where ``MinVISTracker``
    takes the mean of the whole video, which is not known here. It is in a frame if that score and the frame's own score
    of that name are at least ``score_thr`` and its mask is not empty. Identities count from 1, in the order in which
    tracks are shown first. Memory does not grow with the video.

    Args:
        memory_length (int): frames in the mean embedding that the next frame is matched with.
        vote_length (int): frames whose logits name a track.
        score_thr (float): see above.
        frame_nms (float): in each frame, a box that overlaps a better track's box by more than this IoU is left out:
            several queries lie on one object.
        max_per_img (int): most objects of a frame.
    """

    def __init__(self, memory_length: int = 3, vote_length: int = 10, score_thr: float = 0.3, frame_nms: float = 0.6,
                 max_per_img: int = 100) -> None:
        self.linker = QueryLinker(memory_length)
        self.logits: deque[Tensor] = deque(maxlen=vote_length)
        self.score_thr = score_thr
        self.frame_nms = frame_nms
        self.max_per_img = max_per_img
        self.identities: dict[int, int] = {}

    def step(self, detector, inputs: Tensor, sample: DetDataSample, names: Sequence[str]) -> InstanceData:
        """The objects of the next frame, best first.

        Args:
            detector (GLEE): the detector.
            inputs (Tensor): (1, 3, H, W), normalised and padded.
            sample (DetDataSample): with ``batch_input_shape``, ``img_shape`` and ``ori_shape``.
            names (Sequence[str]): the vocabulary, the same for every frame.

        Returns:
            InstanceData: ``instances_ids``, ``labels``, ``scores``, ``bboxes`` (N, 4) xyxy px and bool ``masks``
            (N, H, W) at the original size.
        """
        head = detector.panoptic_head
        outputs = head.decode(detector.extract_feat(inputs), head.encode_names(names), last_only=True)
        order, last = self.linker.link(outputs.embeddings[0]), outputs.last(0)
        logits = last['logits'][order].float()
        self.logits.append(logits)
        scores, labels = torch.stack(tuple(self.logits)).mean(0).sigmoid().max(-1)
        now = logits.sigmoid().gather(1, labels[:, None])[:, 0]
        tracks = (torch.minimum(scores, now) >= self.score_thr).nonzero()[:, 0]
        tracks = tracks[scores[tracks].argsort(descending=True, stable=True)][:self.max_per_img]
        queries = order[tracks]
        selected = SelectedQueries(scores[tracks], labels[tracks], last['boxes'][queries])
        masks = outputs.masks(0, queries)
        found = detector.panoptic_fusion_head.predict([selected], [masks], [sample])[0]['ins_results']
        found.scores = scores[tracks]  # of the track, without the quality of one frame's mask
        found.tracks = tracks
        found = found[found.masks.flatten(1).any(1)]
        if len(found):
            found = found[nms(found.bboxes.contiguous(), found.scores.contiguous(), self.frame_nms)[1]]
        found.instances_ids = torch.tensor([self._identity(track) for track in found.tracks.tolist()], dtype=torch.long)
        return found

    def _identity(self, track: int) -> int:
        return self.identities.setdefault(track, len(self.identities) + 1)
