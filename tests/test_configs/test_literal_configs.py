"""Every config is what stock mmdet builds: read by mmengine alone, without a step of our own tools."""
import json

import pytest
from config_runs import SIZES, shrink_size
from empty_model import empty_parameters
from mmdet.registry import DATASETS, LOOPS, METRICS, MODELS
from mmengine.config import Config
from mmengine.runner import Runner
from paths import CONFIGS, config_file

FILES = sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
SOURCES = sorted((CONFIGS / '_base_/datasets').glob('*.py'))
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
built = set()


def strings(node):
    """All strings in a config."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, (dict, list, tuple)):
        for child in node.values() if isinstance(node, dict) else node:
            yield from strings(child)


def lazy(dataset):
    """The config of a data set that opens no file."""
    dataset = dict(dataset, lazy_init=True)
    if 'datasets' in dataset:
        dataset['datasets'] = [lazy(child) for child in dataset['datasets']]
    return dataset


def reading(metric, path):
    """The config of a metric, and of those in it, that reads another annotation file."""
    return dict({key: reading(value, path) if isinstance(value, dict) else value for key, value in metric.items()},
                **(dict(ann_file=path) if 'ann_file' in metric else {}))


def roots(dataset):
    """Folders of a data set and of those in it."""
    return [dataset['data_root']] if 'data_root' in dataset else [
        root for child in dataset['datasets'] for root in roots(child)]


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_stock_registries_build_it(path, tmp_path):
    cfg = Config.fromfile(path)
    assert not [text for text in strings(cfg.to_dict()) if '${' in text or '{{' in text]
    assert path.parent.name != 'mini' or cfg.data_root == 'data/miniworld/'
    assert all(root.startswith(cfg.data_root) for name in LOADERS if cfg.get(name)
               for root in roots(cfg[name].dataset))
    for name in LOADERS:
        if cfg.get(name):
            DATASETS.build(lazy(cfg[name].dataset))
            assert not cfg[name].get('persistent_workers')  # torch refuses it with num_workers=0
    truth = tmp_path / 'truth.json'
    truth.write_text(json.dumps(dict(
        images=[dict(id=1, width=9, height=9, neg_category_ids=[], not_exhaustive_category_ids=[])], annotations=[],
        categories=[dict(id=1, name='a', frequency='f', isthing=1)],
        descriptions=[dict(id=1, text='a', image_ids=[1], anno_info=dict(type='object_category'))])))
    for name in ('val_evaluator', 'test_evaluator'):
        for metric in [cfg[name]] if isinstance(cfg.get(name), dict) else cfg.get(name) or ():
            METRICS.build(reading(metric, str(truth)))
    if cfg.get('test_cfg', {}).get('type'):
        assert LOOPS.get(cfg.test_cfg.type)
    if cfg.get('train_cfg'):
        assert cfg.auto_scale_lr.base_batch_size > 0 and not cfg.auto_scale_lr.enable
    name, size = path.stem.split('_')[:2]
    if path.parent.name == 'llm':  # the weights of a language model are not here
        cfg.model.language_model = Config.fromfile(CONFIGS / '_base_/models/llava_mini.py').language_model
        size = None
    model = (shrink_size(cfg, size) if name == 'glee' and size in SIZES else cfg).model
    if repr(model) not in built:
        built.add(repr(model))
        with empty_parameters():
            MODELS.build(model)


def test_the_stock_runner_trains_and_tests(world, tmp_path, monkeypatch):
    """As mmdet's own tools use a config, in a folder with the data at the places that it names."""
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data/miniworld').symlink_to(world)
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(config_file('glee_mini_coco'))
    cfg.merge_from_dict({
        'work_dir': 'work', 'train_cfg.max_iters': 1, 'param_scheduler': [], 'train_dataloader.batch_size': 1,
        'test_dataloader.dataset.indices': 2, 'model.panoptic_head.num_queries': 10})
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert 0 <= runner.test()['coco/segm_mAP'] <= 1
    assert (tmp_path / 'work/iter_1.pth').is_file()


@pytest.mark.parametrize('path', SOURCES, ids=lambda path: path.stem)
def test_every_source_is_a_data_set(path):
    """Those that no config picks, too."""
    for value in Config.fromfile(path).values():
        for dataset in value if isinstance(value, list) else [value]:
            if isinstance(dataset, dict) and dataset.get('pipeline') and 'dataset' not in dataset:
                assert DATASETS.build(lazy(dataset)).data_root.startswith('data/')
