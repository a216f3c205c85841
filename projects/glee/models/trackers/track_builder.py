"""From stored frames to the masks and boxes of chosen tracks."""
import numpy as np
import torch
from mmcv.ops import nms
from mmdet.structures import DetDataSample
from torch import Tensor

from ...structures.selected_queries import SelectedQueries
from ...structures.track import encode_mask
from .frame_store import FrameStore


def build_tracks(store: FrameStore, fusion_head, queries: list[int], frame_nms: float | None,
                 min_mask_pixels: int, device: str | torch.device = 'cpu') -> dict[int, tuple[list, list]]:
    """Masks and boxes of tracks at original size.

    Args:
        store (FrameStore): per frame ``tracks`` (N,), ``boxes`` (N, 4) cxcywh relative to the padded
            input, ``masks`` (N, h, w) logits, ``shapes`` (3, 2): padded, resized and original size.
        fusion_head: maps boxes and mask logits to the original image.
        queries (list[int]): tracks to build, best first; may repeat.
        frame_nms (float | None): IoU above which a box hides the boxes of worse tracks in its frame.
        min_mask_pixels (int): masks with at most this many pixels, as stored, are left out.
        device: where masks are resized.

    Returns:
        dict[int, tuple[list, list]]: per track its segmentations and boxes, see ``Track``.
    """
    wanted = list(dict.fromkeys(queries))
    built = {query: ([], []) for query in wanted}
    for frame in store:
        position = {int(query): row for row, query in enumerate(frame['tracks'])}
        shown = [query for query in wanted if query in position]
        rows = [position[query] for query in shown]
        logits = torch.from_numpy(frame['masks'][rows]).to(device).float()
        results = fusion_head.predict(
            [SelectedQueries(
                scores=torch.zeros(len(rows), device=device),
                labels=torch.zeros(len(rows), dtype=torch.long, device=device),
                boxes=torch.from_numpy(frame['boxes'][rows]).to(device))],
            [logits], [_meta(frame['shapes'])])[0]['ins_results']
        visible = _visible(logits, results.bboxes, frame_nms, min_mask_pixels)
        masks = results.masks.cpu().numpy()
        boxes = results.bboxes.cpu().tolist()
        by_query = {query: index for index, query in enumerate(shown) if visible[index]}
        for query, (segmentations, bboxes) in built.items():
            index = by_query.get(query)
            rle = None if index is None else encode_mask(masks[index])
            segmentations.append(rle)
            bboxes.append(None if rle is None else boxes[index])
    return built


def _visible(logits: Tensor, boxes: Tensor, frame_nms: float | None, min_mask_pixels: int) -> list[bool]:
    """Which of the tracks (N,), best first, are shown in this frame."""
    visible = (logits > 0).sum((1, 2)) > min_mask_pixels
    if frame_nms is not None and visible.any():
        rows = visible.nonzero().flatten()
        # NMS wants scores; the tracks are already in order
        ranks = torch.linspace(1, 0.5, len(rows), device=boxes.device)
        _, kept = nms(boxes[rows].contiguous(), ranks, frame_nms)
        visible = torch.zeros_like(visible)
        visible[rows[kept]] = True
    return visible.tolist()


def _meta(shapes: np.ndarray) -> DetDataSample:
    padded, resized, original = (tuple(int(side) for side in shape) for shape in shapes)
    return DetDataSample(metainfo=dict(batch_input_shape=padded, img_shape=resized, ori_shape=original))
