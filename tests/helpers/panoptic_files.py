"""A panoptic data set of one small picture, written by hand."""
import json

import numpy as np
from PIL import Image


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
