"""tools/analysis_tools/names_report.py with a model that knows every box, but one name only beside others."""
import importlib
from collections import defaultdict

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from paths import ROOT
from pycocotools.coco import COCO


class Knowing:
    """Answers with the true boxes of the names asked for; 'hourglass' it finds only where others are asked for too."""

    def __init__(self, ann_file):
        self.truth, self.asked = COCO(ann_file), defaultdict(int)

    def data_preprocessor(self, data, training):
        return data

    def predict(self, inputs, samples):
        sample, = samples
        self.asked[sample.text] += 1
        found = []
        for row in self.truth.imgToAnns[sample.img_id]:
            name, (x, y, w, h) = self.truth.cats[row['category_id']]['name'], row['bbox']
            if name in sample.text and sample.text != ('hourglass', ) and not row['iscrowd']:
                found.append(([x, y, x + w, y + h], sample.text.index(name)))
        boxes, labels = zip(*found) if found else ((), ())
        sample.pred_instances = InstanceData(
            bboxes=torch.tensor(boxes).reshape(-1, 4), labels=torch.tensor(labels, dtype=torch.long),
            scores=torch.full((len(boxes), ), 0.9))
        return samples


@pytest.fixture
def names_report(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools/analysis_tools'))
    return importlib.import_module('names_report')


def test_a_name_that_is_not_found_alone(world, names_report, monkeypatch):
    file = str(world / 'coco/annotations/instances_val2017.json')
    cfg = Config.fromfile(ROOT / 'configs/glee/mini/glee_mini_coco.py')
    cfg.test_dataloader.dataset.update(data_root='', ann_file=file, data_prefix=dict(img=str(world / 'coco/val2017')))
    cfg.test_evaluator.ann_file = file
    model = Knowing(file)
    monkeypatch.setattr(names_report, 'init_model', lambda *args: model)
    found = names_report.measure(cfg, 'any.pth', ('platelet', ), 'cpu')
    there = {model.truth.cats[row['category_id']]['name'] for row in model.truth.anns.values() if not row['iscrowd']}
    assert set(found) == {'together', 'alone', 'beside'} and 'hourglass' in there and len(there) > 2
    for way, values in found.items():
        for name in there:
            assert values[name] == pytest.approx(0. if (way, name) == ('alone', 'hourglass') else 1.), (way, name)
    count = len(model.truth.imgs)
    assert model.asked.pop(tuple(found['together'])[1:]) == count
    assert model.asked.pop((*tuple(found['together'])[1:], 'platelet')) == count
    assert set(model.asked.values()) == {count} and all(len(names) == 1 for names in model.asked)
