"""A mini model and samples for it."""
import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.structures import InstanceData
from paths import CONFIGS

SIZE = (64, 96)  # height, width of all pictures, padding included
NAMES = ('circle', 'red star', 'ring', 'square')


def mini_config():
    """Model config of configs/glee/_base_/models/glee_mini.py."""
    return Config.fromfile(CONFIGS / '_base_/models/glee_mini.py').model


def build(model_config, seed=0):
    """A model with random weights of ``seed``."""
    torch.manual_seed(seed)
    model = MODELS.build(model_config)
    model.init_weights()
    return model


def category_sample(names=NAMES, count=3, seed=0, **meta):
    """A padded image (64 x 96, real content 60 x 90) with boxes and masks."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(2, 30, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(8, 25, (count, 2))], 1)
    masks = np.zeros((count, *SIZE), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int)):
        mask[y1:y2, x1:x2] = 1
    sample = DetDataSample(metainfo=dict(
        dict(text=tuple(names), text_mode='category', batch_input_shape=SIZE, img_shape=(60, 90),
             ori_shape=(120, 180), supervision=('semantic', 'box', 'mask'), label_table='coco'),
        **meta))
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32),
        labels=torch.tensor(rng.integers(0, len(names), count)),
        masks=BitmapMasks(masks, *SIZE))
    return sample


def expression_sample(*sentences, seed=0):
    """The same with one object, of the first sentence."""
    return category_sample(sentences, 1, seed, text_mode='expression', label_table='object')


def images(count, seed=0):
    """Random pictures (count, 3, 64, 96)."""
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(seed))
