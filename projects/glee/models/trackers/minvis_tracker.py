"""Tracking by linking the queries of consecutive frames (MinVIS)."""
from typing import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ...structures.track import Track
from ..language_models.text_prompt import encode_category, read_texts
from .base_tracker import GLEETracker
from .frame_store import FrameStore
from .track_builder import build_tracks


class QueryLinker:
    """Aligns each frame's queries with the tracks (DESIGN section 5, 'Tracking').

    One bipartite matching per frame with cost 1 - cosine between the frame's embeddings and the mean
    of the last ``memory_length`` aligned ones.

    Args:
        memory_length (int): aligned frames in the mean.
    """

    def __init__(self, memory_length: int = 3) -> None:
        self.memory_length = memory_length
        self.memory: list[Tensor] = []

    def link(self, embeddings: Tensor) -> Tensor:
        """Order of one frame's queries.

        Args:
            embeddings (Tensor): (Q, D).

        Returns:
            Tensor: Long (Q,), for each track its query; in the first frame the queries themselves.

        Raises:
            ValueError: the number of queries changed.
        """
        if not self.memory:
            order = torch.arange(len(embeddings), device=embeddings.device)
        else:
            if len(embeddings) != len(self.memory[0]):
                raise ValueError(f'a frame has {len(embeddings)} queries, the frames before it '
                                 f'{len(self.memory[0])}; all frames of a video need one input size')
            past = F.normalize(torch.stack(self.memory).mean(0), dim=-1)
            cost = 1 - past @ F.normalize(embeddings.float(), dim=-1).T
            order = torch.as_tensor(linear_sum_assignment(cost.cpu().numpy())[1], device=embeddings.device)
        self.memory = [*self.memory, embeddings[order].float()][-self.memory_length:]
        return order


@MODELS.register_module()
class MinVISTracker(GLEETracker):
    """Links queries between frames and names tracks by their mean logits.

    For video instance segmentation, multi-object tracking and open-vocabulary video. Every query is a
    track. Memory: the last ``memory_length`` embeddings, the running sum of the logits, and per frame
    the boxes and half-precision mask logits of the ``max_candidates`` tracks that lead so far; frames
    older than ``in_memory_frames`` lie in a temporary file. A track that leads only later on has no
    mask in the frames before; with ``max_candidates`` equal to the number of queries the result is
    exactly that of the whole video at once.

    Args:
        memory_length (int): frames in the mean embedding that the next frame is matched with.
        max_candidates (int): tracks whose masks are kept.
        max_per_video (int): results of a video.
        one_name_per_track (bool): a track takes its best name (TAO); otherwise the best pairs of track
            and name are taken, so that a track may appear under several names.
        frame_nms (float | None): in each frame, a box that overlaps a better track's box by more than
            this IoU is left out (TAO 0.5).
        min_mask_pixels (int): a mask with at most this many pixels at mask-feature resolution counts
            as invisible (TAO 5).
        min_score (float): results below are left out (BDD100K, where false tracks count).
        in_memory_frames (int): recent frames kept in memory, the window.
        spill_dir (str | None): folder of the temporary file.
    """

    def __init__(self,
                 memory_length: int = 3,
                 max_candidates: int = 100,
                 max_per_video: int = 30,
                 one_name_per_track: bool = False,
                 frame_nms: float | None = None,
                 min_mask_pixels: int = 0,
                 min_score: float = 0.0,
                 in_memory_frames: int = 10,
                 spill_dir: str | None = None) -> None:
        self.memory_length = memory_length
        self.max_candidates = max_candidates
        self.max_per_video = max_per_video
        self.one_name_per_track = one_name_per_track
        self.frame_nms = frame_nms
        self.min_mask_pixels = min_mask_pixels
        self.min_score = min_score
        self.store = FrameStore(in_memory_frames, spill_dir)
        self.start()

    def start(self) -> None:
        """Forget the previous video."""
        self.store.close()
        self.linker = QueryLinker(self.memory_length)
        self.logit_sum: Tensor | None = None
        self.num_frames = 0

    def update(self, detector, inputs: Tensor, data_samples: Sequence[DetDataSample]) -> None:
        """Detect in a window of frames and link them one after the other."""
        head = detector.panoptic_head
        texts, is_expression = read_texts(data_samples)
        if is_expression or len(set(texts)) != 1:
            raise ValueError('MinVISTracker takes one category vocabulary per video; for expressions use '
                             'ExpressionTracker')
        prompt = encode_category(head.text_encoder, texts[0], len(inputs))
        self.link(head.decode(detector.extract_feat(inputs), prompt, last_only=True), data_samples)

    def link(self, outputs, data_samples: Sequence[DetDataSample]) -> None:
        """Take the ``HeadOutputs`` of a window of frames."""
        last = outputs.predictions['']
        for index, sample in enumerate(data_samples):
            order = self.linker.link(outputs.embeddings[index])
            self._accumulate(last['logits'][index][order])
            self._keep(sample, {key: value[index][order] for key, value in last.items()}, outputs.mask_features[index])

    def _accumulate(self, logits: Tensor) -> None:
        """Add the aligned logits (Q, C) of one frame."""
        logits = logits.float()
        self.logit_sum = logits if self.logit_sum is None else self.logit_sum + logits
        self.num_frames += 1

    def _keep(self, sample: DetDataSample, aligned: dict[str, Tensor], features: Tensor) -> None:
        """Store scores, boxes and masks of the tracks that lead so far, from the aligned predictions of a frame."""
        leaders = self.logit_sum.amax(-1)
        leaders = leaders.topk(min(self.max_candidates, len(leaders))).indices.sort().values
        masks = torch.einsum('qd,dhw->qhw', aligned['mask_embeds'][leaders], features)
        shapes = [sample.batch_input_shape, sample.img_shape[:2], sample.ori_shape[:2]]
        self.store.append(
            tracks=leaders.cpu().numpy(),
            scores=aligned['logits'][leaders].float().amax(-1).sigmoid().cpu().numpy(),
            boxes=aligned['boxes'][leaders].float().cpu().numpy(),
            masks=masks.half().cpu().numpy(),
            shapes=torch.tensor(shapes).numpy())

    def finish(self, detector) -> list[Track]:
        """The best tracks of the video, best first."""
        if self.logit_sum is None:
            return []
        scores = (self.logit_sum / self.num_frames).sigmoid()
        queries, labels, scores = self._select(scores)
        kept = scores >= self.min_score
        queries, labels, scores = queries[kept], labels[kept], scores[kept]
        tracks = build_tracks(self.store, detector.panoptic_fusion_head, queries.tolist(),
                              self.frame_nms, self.min_mask_pixels, scores.device)
        results = []
        for number, (query, label, score) in enumerate(zip(queries.tolist(), labels.tolist(),
                                                           scores.tolist())):
            segmentations, bboxes = tracks[query]
            results.append(Track(number + 1, label, score, segmentations, bboxes))
        self.start()
        return results

    def _select(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tracks, names and scores of the results, from (Q, C)."""
        if self.one_name_per_track:
            scores, labels = scores.max(-1)
            scores, queries = scores.topk(min(self.max_per_video, len(scores)))
            return queries, labels[queries], scores
        num_names = scores.shape[1]
        scores, picked = scores.flatten().topk(min(self.max_per_video, scores.numel()))
        return picked // num_names, picked % num_names, scores
