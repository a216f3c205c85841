"""Ground truth of a data sample as the head's losses read it."""
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox_xyxy_to_cxcywh, get_box_tensor
from mmengine.structures import InstanceData

from ...structures.sample_text import as_names


def image_targets(sample: DetDataSample, with_masks: bool) -> InstanceData:
    """Targets of one image: ``labels``, ``boxes`` cxcywh in 0..1 and, if supervised, ``masks``.

    A label outside of the text becomes the nearest inside, so that a GPU can go on until somebody has time for the
    error (``labels_outside``).
    """
    truth = sample.gt_instances
    boxes = get_box_tensor(truth.bboxes)
    height, width = sample.batch_input_shape
    boxes = bbox_xyxy_to_cxcywh(boxes / boxes.new_tensor([width, height, width, height]))
    labels = truth.labels.clamp(0, max(len(as_names(sample.text)) - 1, 0)) if 'text' in sample else truth.labels
    targets = InstanceData(labels=labels, boxes=boxes.clamp(0, 1))
    if 'instances_ids' in truth:
        targets.identities = truth.instances_ids
    if with_masks:
        targets.masks = truth.masks.to_tensor(torch.bool, 'cpu').to(boxes.device)
    return targets
