"""mmdet's metrics on what the model returns for its data sets, and on the truth in the same form.

The truth scores perfectly. Then one object of the second picture is found in a wrong place and with less certainty;
what that costs is computed by hand.
"""
import importlib.util
import types

import numpy as np
import pytest
import stock_files as files
import torch
from mini_model import build, mini_config
from mmdet.registry import DATASETS, METRICS
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from panoptic_files import stand_in_for_panopticapi
from stock_files import SIZE

from projects.glee.structures import Segments

ELSEWHERE = [56., 0., 64., 5.]  # on no object


@pytest.fixture(scope='module')
def model():
    config = mini_config()
    config.panoptic_head.update(num_queries=10)
    return build(config).eval()


def as_predicted(truth, found, wrong=False, box=ELSEWHERE):
    """Objects in the form of predictions, best first; ``wrong`` moves the first of them to ``box``, at the end."""
    boxes = truth.bboxes.tensor if hasattr(truth.bboxes, 'tensor') else truth.bboxes
    labels, boxes = truth.labels.clone(), boxes.clone().float()
    masks = torch.zeros(len(labels), *SIZE, dtype=torch.bool)
    order = list(range(len(labels)))
    if wrong:
        boxes[0] = torch.tensor(box)
        order = order[1:] + order[:1]
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist()):
        mask[y1:y2, x1:x2] = True
    result = InstanceData(bboxes=boxes, scores=torch.linspace(0.9, 0.5, len(labels))[np.argsort(order)], labels=labels,
                          masks=masks)[order]
    assert set(result.keys()) == set(found.keys())
    assert all(result[key].dtype == found[key].dtype for key in found.keys())
    return result


class Scorer:
    """A stock metric on a stock data set, whose samples pass the model first."""

    def __init__(self, model, dataset, metric):
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.metric = metric
        self.items = [self.dataset[index] for index in range(len(self.dataset))]
        with torch.no_grad():
            self.samples = [model.test_step(pseudo_collate([item]))[0] for item in self.items]
        self.found = [sample.pred_instances for sample in self.samples]

    def build(self):
        metric = METRICS.build(self.metric)
        metric.dataset_meta = self.dataset.metainfo
        return metric

    def score(self, change=None):
        """Of the model's own results, or of what ``change`` makes of each picture's sample and number."""
        metric = self.build()
        for number, sample in enumerate(self.samples):
            sample.pred_instances = self.found[number]
            if change is not None:
                sample.pred_instances = change(sample, number)
            metric.process({}, [sample.to_dict()])
        return metric.evaluate(len(self.samples))

    def perfect(self):
        return self.score(lambda sample, number: as_predicted(sample.gt_instances, self.found[number]))

    def one_wrong(self, box=ELSEWHERE):
        return self.score(
            lambda sample, number: as_predicted(sample.gt_instances, self.found[number], number == 1, box))


# Of the first class one of two objects is found, before the wrong one: precision 1 at recalls up to 1/2.
AP_101 = (51 / 101 + 1) / 2  # recalls 0, 0.01, ... 1
AP_11 = (6 / 11 + 1) / 2
AP_AREA = (1 / 2 + 1) / 2


@pytest.mark.parametrize('write', [files.coco, files.objects365_v1, files.objects365_v2, files.v3det,
                                   files.cityscapes, files.isaid], ids=lambda write: write.__name__)
def test_coco_metric(write, model, tmp_path):
    config = write(tmp_path)
    masks = write in (files.coco, files.cityscapes, files.isaid)
    scorer = Scorer(model, config, dict(type='CocoMetric', ann_file=str(tmp_path / 'ann.json'),
                                        metric=['bbox', 'segm'] if masks else 'bbox'))
    kinds = ('bbox', 'segm') if masks else ('bbox', )
    own, perfect, wrong = scorer.score(), scorer.perfect(), scorer.one_wrong()
    for kind in kinds:
        assert 0 <= own[f'coco/{kind}_mAP'] <= 1
        assert perfect[f'coco/{kind}_mAP'] == 1
        assert wrong[f'coco/{kind}_mAP'] == round(AP_101, 3)


def test_lvis_metric(model, tmp_path, monkeypatch):
    """The lvis package wants an older numpy; without that its metric stops, and ours gives the same numbers."""
    keys = dict(ann_file=str(tmp_path / 'ann.json'), metric=['bbox', 'segm'])
    scorer = Scorer(model, files.lvis(tmp_path), dict(type='LVISMetric', **keys))
    with pytest.raises(AttributeError, match='float'):
        scorer.perfect()
    ours = Scorer(model, scorer.dataset, dict(type='LVISEvalMetric', **keys))
    monkeypatch.setattr('lvis.eval.np', types.SimpleNamespace(**{**vars(np), 'float': float}))
    for kind in ('bbox', 'segm'):
        assert 0 <= scorer.score()[f'lvis/{kind}_AP'] <= 1
        perfect = scorer.perfect()
        assert perfect[f'lvis/{kind}_AP'] == perfect[f'lvis/{kind}_APf'] == 1
        assert scorer.one_wrong()[f'lvis/{kind}_AP'] == round(AP_101, 3)
        assert ours.perfect()[f'lvis/{kind}_AP'] == 1
        assert ours.one_wrong()[f'lvis/{kind}_AP'] == pytest.approx(AP_101)


def test_voc_metric(model, tmp_path):
    scorer = Scorer(model, files.voc(tmp_path), dict(type='VOCMetric', metric='mAP', eval_mode='11points'))
    assert 0 <= scorer.score()['pascal_voc/mAP'] <= 1
    assert scorer.perfect()['pascal_voc/mAP'] == pytest.approx(1)
    assert scorer.one_wrong()['pascal_voc/mAP'] == pytest.approx(AP_11)


def test_crowdhuman_boxes_in_voc_metric(model, tmp_path):
    """Of four people three are found, the wrong one last: precision 1 up to a recall of 3/4."""
    scorer = Scorer(model, files.crowdhuman(tmp_path), dict(type='VOCMetric', metric='mAP', eval_mode='area'))
    assert scorer.perfect()['pascal_voc/mAP'] == pytest.approx(1)
    assert scorer.one_wrong()['pascal_voc/mAP'] == pytest.approx(3 / 4)


def test_openimages_metric(model, tmp_path):
    scorer = Scorer(model, files.openimages(tmp_path), dict(type='OpenImagesMetric'))
    assert 0 <= scorer.score()['openimages/mAP'] <= 1
    assert scorer.perfect()['openimages/mAP'] == pytest.approx(1)
    # the dog that is missed is a missed animal too
    assert scorer.one_wrong()['openimages/mAP'] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)


def test_refseg_metric(model, tmp_path):
    scorer = Scorer(model, files.refcoco(tmp_path), dict(type='RefSegMetric'))
    own = scorer.score()
    assert 0 <= own['cIoU'] <= 100 and 0 <= own['mIoU'] <= 100
    perfect = scorer.perfect()
    assert (float(perfect['cIoU']), float(perfect['mIoU'])) == (100, 100)
    x, y, width, height = files.BOXES[0]
    wrong = scorer.one_wrong([x + width / 2, y, x + width * 3 / 2, y + height])  # 160 of 480 px are common
    assert float(wrong['cIoU']) == pytest.approx(100 * (320 + 160) / (320 + 480))
    assert float(wrong['mIoU']) == pytest.approx(100 * (1 + 1 / 3) / 2)


def test_flickr30k_metric(model, tmp_path):
    scorer = Scorer(model, files.flickr30k(tmp_path), dict(type='Flickr30kMetric', topk=(1, 2)))
    own = scorer.score()
    assert 0 <= own['1']['all'] <= own['2']['all'] <= 1
    assert scorer.perfect()['1'] == dict(all=1)
    assert scorer.one_wrong()['2'] == dict(all=3 / 4)

    def behind(sample, number):
        right = as_predicted(sample.gt_instances, scorer.found[number])
        wrong = as_predicted(sample.gt_instances, scorer.found[number], number == 1)
        return InstanceData.cat([wrong, right])
    result = scorer.score(behind)
    assert (result['1'], result['2']) == (dict(all=3 / 4), dict(all=1))


def test_detections_come_best_first(model, tmp_path):
    """As the metric of Flickr30k takes the first ones of each phrase; every box stays with its mask."""
    scorer = Scorer(model, files.flickr30k(tmp_path), dict(type='Flickr30kMetric'))
    for found in scorer.found:
        assert len(found) == 20 and (found.scores.diff() <= 0).all() and not (found.labels.diff() >= 0).all()


def test_dod_metric(model, tmp_path):
    """Each of four sentences, of four lengths, means one box; results name a sentence of the picture's group."""
    scorer = Scorer(model, dict(files.dod(tmp_path), test_mode=True), dict(
        type='DODCocoMetric', ann_file=str(tmp_path / 'd3.json')))
    assert [sample.text for sample in scorer.samples] == [files.SENTENCES[:2], files.SENTENCES[2:]]
    for sample in scorer.samples:  # the truth counts through all sentences
        sample.gt_instances.labels %= 2
    assert 0 <= scorer.score()['dod/mAP'] <= 1
    perfect, wrong = scorer.perfect(), scorer.one_wrong()
    lengths = ('short', 'mid', 'long', 'very_long')
    assert perfect['dod/mAP'] == 1 and [perfect[f'dod/mAP_{length}'] for length in lengths] == [1, 1, 1, 1]
    assert wrong['dod/mAP'] == 3 / 4 and [wrong[f'dod/mAP_{length}'] for length in lengths] == [1, 1, 0, 1]


def true_maps(model, sample, without=()):
    """Panoptic and semantic map of queries that are the true segments, but for those of some labels.

    What such a segment leaves free, the stuff takes.
    """
    names = (*sample.text, *sample.stuff_text)
    truth = sample.gt_instances
    objects = [(label, mask) for label, mask in zip(truth.labels.tolist(), truth.masks.to_tensor(torch.bool, 'cpu'))
               if label not in without]
    road = torch.ones(SIZE, dtype=torch.bool)
    for _, mask in objects:
        road &= ~mask
    objects.append((names.index('road'), road))
    probs, logits = torch.zeros(len(objects), len(names)), torch.full((len(objects), *sample.batch_input_shape), -20.)
    for row, (label, mask) in enumerate(objects):
        probs[row, label] = 0.9
        logits[row, :SIZE[0], :SIZE[1]][mask] = 20.
    maps = model.panoptic_fusion_head.predict_maps(Segments(probs, logits, len(sample.text)), sample.metainfo)
    return maps['pan_results']


def test_coco_panoptic_metric(model, tmp_path, monkeypatch):
    """panopticapi is in no package index: a part of it stands in. Our metric needs none of it."""
    dataset = DATASETS.build(files.panoptic(tmp_path))
    keys = dict(ann_file=str(tmp_path / 'panoptic.json'), seg_prefix=str(tmp_path / 'maps'))
    stock = dict(type='CocoPanopticMetric', **keys)
    if importlib.util.find_spec('panopticapi') is None:
        with pytest.raises(RuntimeError, match='panopticapi is not installed'):
            METRICS.build(stock)
    stand_in_for_panopticapi(monkeypatch)
    for metric in (stock, dict(type='PanopticMetric', **keys)):
        scorer = Scorer(model, dataset, metric)
        assert 0 <= scorer.score()['coco_panoptic/PQ'] <= 100

        def score(missing):
            for number, sample in enumerate(scorer.samples):
                sample.pred_panoptic_seg = true_maps(model, sample, missing if number == 1 else ())
            return scorer.score()
        perfect = score(())
        assert [perfect[f'coco_panoptic/PQ{group}'] for group in ('', '_th', '_st')] == pytest.approx([100] * 3)
        wrong = score([2])  # the second picture's car is taken for road
        (_, _, *car), (_, _, *person) = files.BOXES
        road = SIZE[0] * SIZE[1] - np.prod(car) - np.prod(person)
        of_car, of_road = 1 / (1 + 1 / 2), (1 + road / (road + np.prod(car))) / 2
        assert wrong['coco_panoptic/PQ_th'] == pytest.approx(100 * (of_car + 1) / 2)
        assert wrong['coco_panoptic/PQ_st'] == pytest.approx(100 * of_road)
        assert wrong['coco_panoptic/PQ'] == pytest.approx(100 * (of_car + 1 + of_road) / 3)


@pytest.mark.parametrize('write', [files.odvg_boxes, files.odvg_phrases], ids=lambda write: write.__name__)
def test_dump_odvg_results(write, model, tmp_path):
    """What is written can be read by the data set it came from, which finds the objects and phrases of the truth."""
    config, out = write(tmp_path), tmp_path / 'out.jsonl'
    scorer = Scorer(model, config, dict(type='DumpODVGResults', outfile_path=str(out), img_prefix=str(tmp_path / 'img'),
                                        score_thr=0.4))
    scorer.score()
    assert len(out.read_text().splitlines()) == 2
    scorer.one_wrong()
    again = DATASETS.build(dict(config, ann_file=str(out)))
    truth = [[x, y, x + w, y + h] for x, y, w, h in files.BOXES]
    for number, expected in enumerate((truth, [ELSEWHERE, truth[1]])):
        record = again.get_data_info(number)
        found = {one['bbox_label']: one['bbox'] for one in record['instances']}
        assert found == dict(enumerate(expected))
        if write is files.odvg_phrases:
            assert record['text'] == files.CAPTIONS[number]
            told = {label: phrase['tokens_positive'] for label, phrase in record['phrases'].items()}
            assert told == dict(enumerate(files.spans(record['text'])))
            assert [phrase['phrase'] for phrase in record['phrases'].values()] == [[name] for name in files.NAMES]
