"""The blocks of the how-tos do what their pages say."""
import csv
import json
import re
import sys

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.utils import import_modules_from_strings
from paths import CONFIGS, ROOT, config_file


def blocks(page):
    return re.findall(r'```python\n(.*?)```', (ROOT / 'docs' / page).read_text(), re.DOTALL)


@pytest.fixture
def as_config(tmp_path):
    """Loads a block that is saved in configs/glee/examples/."""
    def load(block):
        for path in CONFIGS.iterdir():
            if path.name != 'examples':
                (tmp_path / path.name).symlink_to(path)
        (tmp_path / 'examples').mkdir()
        for path in (CONFIGS / 'examples').glob('*.py'):
            (tmp_path / 'examples' / path.name).symlink_to(path)
        (tmp_path / 'examples/mine.py').write_text(block)
        return Config.fromfile(tmp_path / 'examples/mine.py')
    return load


def assert_channels(model):
    """The maps of the backbone have strides 4 to 32 and the channels that the head names."""
    backbone = MODELS.build(model.backbone)
    backbone.eval()  # mmdet's ResNet returns nothing here
    with torch.no_grad():
        maps = backbone(torch.zeros(1, 3, 64, 64))
    assert [tuple(x.shape[2:]) for x in maps] == [(16, 16), (8, 8), (4, 4), (2, 2)]
    channels = [x.shape[1] for x in maps]
    assert channels == list(model.panoptic_head.pixel_decoder.in_channels)
    assert channels[1:] == list(model.panoptic_head.prompter.in_channels)


def test_another_depth(as_config):
    model = as_config(blocks('howto_backbone.md')[0]).model
    assert model.backbone.depth == 18
    assert_channels(model)


@pytest.mark.parametrize('name', ['glee_swin-t_coco', 'glee_convnext-t_coco'])
def test_another_backbone(name):
    cfg = Config.fromfile(config_file(name))
    import_modules_from_strings(**cfg.custom_imports)
    assert_channels(cfg.model)


def test_text_encoder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    known = {}
    exec(compile(blocks('howto_text_encoder.md')[0], 'howto_text_encoder.md', 'exec'), known)
    assert known['text'].pooled.shape == (3, 256) and known['scores'].shape == (5, 3)
    assert known['text'].mask.sum(1).tolist() == [3, 4, 7]  # words, start and end
    assert (tmp_path / 'names.pt').stat().st_size and capsys.readouterr().out


def test_a_source_beside_coco(as_config, world):
    cfg = as_config(blocks('howto_dataset.md')[0])
    coco, pets = cfg.train_dataloader.dataset.datasets
    assert list(cfg.ratios) == ['coco', 'pets'] and coco.ann_file == 'annotations/instances_train2017.json'
    pets.update(data_root=f'{world}/coco/', ann_file=coco.ann_file, data_prefix=dict(img='train2017/'))
    data_set = DATASETS.build(pets)
    found = data_set[0]['data_samples']
    truth = json.loads((world / 'coco' / coco.ann_file).read_text())
    assert len(data_set) == len(truth['images']) and found.source == 'pets' and found.label_table == 'obj365'
    assert found.text == tuple(row['name'] for row in truth['categories']) and 'masks' in found.gt_instances


def test_a_format_of_ones_own(world, tmp_path, monkeypatch):
    truth = json.loads((world / 'coco/annotations/instances_train2017.json').read_text())
    picture = truth['images'][0]
    rows = [('star', 4, 5, 40, 50), ('ring', 10, 10, 30, 31)]
    with open(tmp_path / 'boxes.csv', 'w', newline='') as file:
        csv.writer(file).writerows((picture['file_name'], *box, name) for name, *box in rows)
    exec(compile(blocks('howto_dataset.md')[1], 'howto_dataset.md', 'exec'), dict(__name__='howto'))
    try:
        steps = Config.fromfile(CONFIGS / '_base_/datasets/image_sources.py').box_steps
        item = DATASETS.build(dict(
            type='CsvDataset', ann_file=str(tmp_path / 'boxes.csv'), data_prefix=dict(img=f'{world}/coco/train2017'),
            pipeline=[dict(type='SetSource', source='mine', supervision=('semantic', 'box')),
                      *(step for step in steps if step.type in ('LoadImage', 'LoadInstances', 'PackGLEEInputs'))]))[0]
    finally:
        DATASETS.module_dict.pop('CsvDataset')
    found = item['data_samples']
    assert found.text == ('ring', 'star') and found.gt_instances.labels.tolist() == [1, 0]
    boxes = getattr(found.gt_instances.bboxes, 'tensor', found.gt_instances.bboxes)
    assert np.array_equal(boxes, [[4, 5, 40, 50], [10, 10, 30, 31]])
    assert found.ori_shape == (picture['height'], picture['width'])


def test_metric(as_config, tmp_path, monkeypatch):
    code, config = blocks('howto_metric.md')
    (tmp_path / 'count_error.py').write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        cfg = as_config(config)
        assert [one.type for one in cfg.test_evaluator] == ['CocoEvalMetric', 'CountError']
        metric = METRICS.build(cfg.test_evaluator[1])
        for scores, count in (([0.9, 0.3, 0.2], 4), ([0.1], 0), ([0.5, 0.6], 1)):  # wrong by 2, 0 and 1
            metric.process({}, [dict(pred_instances=dict(scores=torch.tensor(scores, dtype=torch.float64)),
                                     gt_instances=dict(labels=torch.zeros(count)))])
        assert metric.evaluate(3) == {'count/error': 1.0}
    finally:
        METRICS.module_dict.pop('CountError', None)
        sys.modules.pop('count_error', None)
