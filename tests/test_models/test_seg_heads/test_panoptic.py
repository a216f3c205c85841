"""Panoptic and semantic maps: hand-made masks, and mIoU 1 for the truth."""
import numpy as np
import pytest
import torch
from mini_model import build, category_sample, images, mini_config
from mmdet.evaluation import SemSegMetric
from mmdet.registry import DATASETS
from mmengine.structures import PixelData
from panoptic_files import write_truth
from PIL import Image

from projects.glee.models.seg_heads.panoptic_fusion import PanopticFusion, fuse_semantic


def scene():
    """Things at 0 and 1, stuff at 2: a square, one that it covers to 85 % and to 75 %, and two pieces of stuff."""
    masks = torch.zeros(6, 20, 40)
    masks[0, 0:10, 0:10] = 0.99
    masks[1, 0:10, 8:18] = 0.9  # 20 of 100 pixels below the first
    masks[2, 9:15, 0:4] = 0.9  # 4 of 24 below the first: 83 %
    masks[3, 15:20, 0:20] = 0.8
    masks[4, 15:20, 20:40] = 0.8
    masks[5, 0:10, 30:40] = 0.9  # too unlikely
    probs = torch.full((6, 3), 0.01)
    for query, (label, score) in enumerate([(0, 0.9), (1, 0.8), (0, 0.8), (2, 0.6), (2, 0.7), (1, 0.2)]):
        probs[query, label] = score
    return probs, masks


def fuse_panoptic(probs, masks, num_things, num_bands=1, **kwargs):
    fusion = PanopticFusion(probs, num_things, masks.shape[1:], **kwargs)
    for rows in torch.arange(masks.shape[1]).chunk(num_bands):
        fusion.add(rows, masks[:, rows])
    return fusion.result()


@pytest.mark.parametrize('overlap_thr', [0.81, 0.79])
def test_bands_of_rows_give_the_same(overlap_thr):
    whole, segments = fuse_panoptic(*scene(), 2, overlap_thr=overlap_thr)
    in_bands, in_bands_segments = fuse_panoptic(*scene(), 2, num_bands=7, overlap_thr=overlap_thr)
    assert torch.equal(whole, in_bands) and segments == in_bands_segments


def test_hand_made_masks():
    probs, masks = scene()
    panoptic, segments = fuse_panoptic(probs, masks, num_things=2, overlap_thr=0.81)
    expected = torch.full((20, 40), 3)
    expected[9:15, 0:4] = 2000
    expected[0:10, 0:10] = 1000
    expected[15:20] = 3002
    assert torch.equal(panoptic, expected)  # the square with 80 % left is dropped
    found = [(s['label'], s['is_thing'], s['area']) for s in segments]
    assert found == [(0, True, 100), (0, True, 20), (2, False, 200)]
    assert segments[2]['score'] == pytest.approx(0.7)
    panoptic, segments = fuse_panoptic(probs, masks, num_things=2, overlap_thr=0.79)
    assert len(segments) == 4 and (panoptic[0:10, 10:18] == 2001).all()


def test_sharpening_prefers_the_unambiguous():
    """Two names almost alike make a query lose to one that is sure of its name."""
    probs, masks = torch.tensor([[0.8, 0.79], [0.7, 0.01]]), torch.ones(2, 4, 4) * 0.9
    assert fuse_panoptic(probs, masks, 2)[0].unique().tolist() == [1000]
    sharp = fuse_panoptic(probs, masks, 2, temperature=0.06)[1]
    assert sharp[0]['score'] == pytest.approx(float(torch.softmax(probs[1] / 0.06, 0)[0]))


def test_no_query_is_likely():
    panoptic, segments = fuse_panoptic(torch.zeros(3, 2), torch.ones(3, 4, 5), 1)
    assert (panoptic == 2).all() and segments == []


def test_semantic_sums_over_queries():
    probs = torch.tensor([[0.6, 0.1], [0.1, 0.4], [0.1, 0.4]])
    masks = torch.ones(3, 2, 2)
    masks[2, 0] = 0
    assert fuse_semantic(probs, masks).tolist() == [[0, 0], [1, 1]]


def test_stuff_text_adds_maps_and_leaves_instances(glee_with_stuff):
    model, plain, stuffed = glee_with_stuff
    assert 'pred_panoptic_seg' not in plain and 'pred_sem_seg' not in plain
    assert stuffed.pred_panoptic_seg.sem_seg.shape == (1, 120, 180)
    assert stuffed.pred_sem_seg.sem_seg.max() < 6 and stuffed.pred_instances.labels.max() < 4
    labels = stuffed.pred_panoptic_seg.sem_seg.unique() % 1000
    assert set(labels.tolist()) <= {s['label'] for s in stuffed.pred_panoptic_seg.segments_info} | {6}


@pytest.fixture(scope='module')
def glee_with_stuff():
    model = build(mini_config()).eval()
    model.panoptic_fusion_head.panoptic = dict(score_thr=0.0, overlap_thr=0.01)
    with torch.no_grad():
        plain = model(images(1), [category_sample()], mode='predict')[0]
        stuffed = model(images(1), [category_sample(stuff_text=('sky', 'grass'))], mode='predict')[0]
    return model, plain, stuffed


@pytest.mark.parametrize('moved', [0, 2])
def test_stock_semantic_metric(tmp_path, moved):
    """The data set's own maps, as queries with masks, give mIoU 100; with one square moved, the IoUs by hand."""
    ids = write_truth(tmp_path)
    (tmp_path / 'images').mkdir()
    Image.new('RGB', (30, 20)).save(tmp_path / 'images/a.jpg')
    meta = dict(classes=('square', 'sky'), thing_classes=('square', ), stuff_classes=('sky', ))
    dataset = DATASETS.build(dict(
        type='CocoPanopticDataset', test_mode=True, return_classes=True, metainfo=meta, data_root=str(tmp_path),
        ann_file='pan.json', data_prefix=dict(img='images/', seg='maps/'), pipeline=[
            dict(type='LoadImage'), dict(type='LoadPanopticMap'),
            dict(type='SetSource', source='panoptic', supervision=('semantic', 'box', 'mask')),
            dict(type='PackGLEEInputs')]))
    sample = dataset[0]['data_samples']
    masks = torch.tensor(np.stack([np.roll(ids == 1, moved, 1), ids == 2, ids == 3]), dtype=torch.float)
    probs = torch.tensor([[0.99, 0.01], [0.99, 0.01], [0.01, 0.98]])
    sample.pred_sem_seg = PixelData(sem_seg=fuse_semantic(probs, masks)[None])
    metric = SemSegMetric(iou_metrics=['mIoU'], prefix='panoptic')
    metric.dataset_meta = meta
    metric.process({}, [sample.to_dict()])
    value = metric.evaluate(1)['panoptic/mIoU']
    # 600 px: squares of 36 and 64; 12 px move. Those that nobody claims now are the squares', as both scores are 0
    squares, sky = 100 / 112, 488 / 500
    assert value == pytest.approx(100 if not moved else 50 * (squares + sky), abs=0.01)
