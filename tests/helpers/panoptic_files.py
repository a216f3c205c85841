"""A panoptic data set of one small picture, written by hand, and what mmdet needs of panopticapi."""
import json

import numpy as np
from mmdet.evaluation.functional import panoptic_utils
from mmdet.evaluation.metrics import coco_panoptic_metric
from PIL import Image

from projects.glee.evaluation.functional.panoptic_quality import Counts
from projects.glee.structures import id2rgb, rgb2id


class Statistics(dict):
    """panopticapi's ``PQStat``: counts by category, which add up and are averaged."""

    def __missing__(self, category):
        return self.setdefault(category, Counts())

    def __iadd__(self, other):
        for category, counts in other.items():
            self[category] += counts
        return self

    def pq_average(self, categories, isthing):
        """Means over the categories that occur, and the values of each."""
        each = {}
        for number, category in categories.items():
            one, wanted = self[number], isthing is None or bool(category['isthing']) == isthing
            weight = one.tp + (one.fp + one.fn) / 2
            if wanted and weight:
                each[number] = dict(pq=one.iou / weight, sq=one.iou / max(one.tp, 1), rq=one.tp / weight)
        means = {key: sum(values[key] for values in each.values()) / max(len(each), 1) for key in ('pq', 'sq', 'rq')}
        return dict(means, n=len(each)), each


def stand_in_for_panopticapi(monkeypatch):
    """Let mmdet's panoptic metric run: only constants and a container are missing without the package."""
    for name, value in dict(PQStat=Statistics, VOID=0, OFFSET=256**3, rgb2id=rgb2id).items():
        monkeypatch.setattr(panoptic_utils, name, value)
    for name, value in dict(panopticapi=panoptic_utils, PQStat=Statistics, VOID=0, id2rgb=id2rgb,
                            rgb2id=rgb2id).items():
        monkeypatch.setattr(coco_panoptic_metric, name, value)


def write_truth(root):
    """One image with two things of one name and stuff; returns its map of mmdet labels."""
    ids = np.full((20, 30), 3)
    ids[2:8, 2:8], ids[10:18, 20:28] = 1, 2
    (root / 'maps').mkdir()
    Image.fromarray(np.stack([ids, 0 * ids, 0 * ids], -1).astype(np.uint8)).save(root / 'maps/a.png')
    segments = [dict(id=i, category_id=c, iscrowd=0, area=int((ids == i).sum()), bbox=[0, 0, 30, 20])
                for i, c in ((1, 7), (2, 7), (3, 9))]
    (root / 'pan.json').write_text(json.dumps(dict(
        images=[dict(id=1, file_name='a.jpg', height=20, width=30)],
        annotations=[dict(image_id=1, file_name='a.png', segments_info=segments)],
        categories=[dict(id=7, name='square', isthing=1), dict(id=9, name='sky', isthing=0)])))
    return ids
