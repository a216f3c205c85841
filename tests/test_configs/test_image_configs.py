"""Every test config of pictures: released settings, and what is annotated, given back as found, scores 1."""
import json
from pathlib import Path

import pytest
from config_runs import SIZES, load
from mmdet.registry import DATASETS
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from paths import FORMATS
from PIL import Image

from projects.glee.datasets.conversion import convert_lvis_minival
from projects.glee.datasets.vocabularies import load_vocabulary
from projects.glee.evaluation.metrics import MeanOfSetsMetric

BENCHMARKS = {  # metric of the config, pairs of query and name that are kept, number of sets that are read together
    'coco-val': ('CocoEvalMetric', 100, 1), 'coco-test-dev': ('CocoEvalMetric', 100, 1),
    'lvis': ('LVISEvalMetric', 300, 1), 'lvis-minival': ('LVISEvalMetric', 300, 1),
    'objects365': ('CocoEvalMetric', 100, 1), 'openimages': ('CocoEvalMetric', 100, 1),
    'bdd_det': ('CocoEvalMetric', 100, 1), 'bdd_inst': ('CocoEvalMetric', 100, 1),
    'refcoco': ('ReferringMetric', 100, 3), 'refcoco-plus': ('ReferringMetric', 100, 3),
    'refcocog': ('ReferringMetric', 100, 2), 'uvo': ('CocoEvalMetric', 100, 1),
    'omnilabel': ('OmniLabelMetric', 300, 1), 'odinw13': ('MeanOfSetsMetric', 100, 13),
    'odinw35': ('MeanOfSetsMetric', 100, 35)}
MINIWORLD = {  # numbers that are 1 for what is annotated
    'coco': ['coco/bbox_mAP', 'coco/segm_mAP'], 'lvis-minival': ['lvis/bbox_AP', 'lvis/segm_AP', 'lvis_fixed/segm_AP'],
    'objects365': ['objects365/bbox_mAP'], 'openimages': ['openimages/bbox_mAP'], 'bdd_det': ['bdd_det/bbox_mAP'],
    'bdd_inst': ['bdd_inst/bbox_mAP', 'bdd_inst/segm_mAP'], 'uvo': ['uvo/segm_AR@100'],
    'refcoco-plus': ['refcoco-plus/P@0.5', 'refcoco-plus/oIoU', 'refcoco-plus/val_mIoU', 'refcoco-plus/testA_P@0.5'],
    'refcocog': ['refcocog/P@0.5', 'refcocog/val_oIoU', 'refcocog/test_mIoU'],
    'odinw': ['odinw/Aerial_bbox_mAP', 'odinw/Thermal_bbox_mAP', 'odinw/mean_bbox_mAP'],
    'odinw35': ['odinw35/Night_test_bbox_mAP', 'odinw35/mean_bbox_mAP'],
    'omnilabel': ['omnilabel/AP', 'omnilabel/AP-categ', 'omnilabel/AP-descr', 'omnilabel/AP-descr-pos']}


def parts_of(dataset):
    return dataset.get('datasets', [dataset])


def found_as_annotated(dataset):
    """Samples of the pipeline whose predictions are their annotations, in original pixels."""
    for item in dataset:
        sample = item['data_samples']
        truth = sample.gt_instances
        sample.pred_instances = InstanceData(bboxes=truth.bboxes.tensor, labels=truth.labels,
                                             scores=truth.labels * 0 + 0.5)
        if 'masks' in truth:
            sample.pred_instances.masks = truth.masks.to_tensor(dtype=bool, device='cpu')
        yield sample


def metrics_of(cfg):
    return cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]


def score(cfg):
    """Numbers of the annotations of a config's test set."""
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    evaluator = Runner.build_evaluator(None, cfg.test_evaluator)
    evaluator.dataset_meta = dataset.metainfo
    samples = list(found_as_annotated(dataset))
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


@pytest.mark.parametrize('name', BENCHMARKS)
@pytest.mark.parametrize('size', SIZES)
def test_full_size_tests_have_the_released_settings(name, size, tmp_path):
    cfg = load(f'glee_{size}_{name}', tmp_path / size)
    metric, kept, sets = BENCHMARKS[name]
    assert (metrics_of(cfg)[0].type, cfg.model.test_cfg.max_per_img) == (metric, kept)
    assert cfg.model.backbone.type == dict(zip(SIZES, ('ResNet', 'SwinTransformer', 'EVA02')))[size]
    parts = parts_of(cfg.test_dataloader.dataset)
    assert len(parts) == sets and all(part.test_mode for part in parts)
    for part in parts:
        resize = part.pipeline[2]
        if size == 'eva02-l':
            resize, pad = resize.transforms
            assert (pad.type, pad.size, pad.pad_value) == ('PadSquare', 1536, 128)
        assert tuple(resize.scale) == ((1536, 1536) if size == 'eva02-l' else (1333, 800))
        assert [step.type for step in part.pipeline].index('LoadInstances') > 2  # original pixels
    if 'outfile_prefix' in metrics_of(cfg)[0]:
        assert cfg.test_evaluator.outfile_prefix.startswith(str(tmp_path / size))


@pytest.mark.parametrize('name', MINIWORLD)
def test_annotations_of_miniworld_score_one(name, world, tmp_path):
    cfg = load(f'glee_mini_{name}', tmp_path, data_root=f'{world}/')
    if name == 'lvis-minival':
        path = tmp_path / 'minival.json'
        convert_lvis_minival(world / 'lvis/lvis_v1_val.json', path)
        for read in (cfg.test_dataloader.dataset, *cfg.test_evaluator):
            read.ann_file = str(path)
    numbers = score(cfg)
    expected = dict.fromkeys(MINIWORLD[name], 1.0)
    # OmniLabel's harmonic mean has 1e-5 in its denominator
    assert {key: numbers[key] for key in MINIWORLD[name]} == pytest.approx(expected, abs=1e-5)


def test_refcoco_splits_are_those_of_the_files(world, tmp_path):
    cfg = load('glee_r50_refcoco', tmp_path, data_root=f'{world}/', **{'PillowResize.scale': (96, 96)})
    numbers = score(cfg)
    assert {f'refcoco/{split}_P@0.5' for split in ('val', 'testA', 'testB')} <= set(numbers)
    assert numbers['refcoco/oIoU'] == 1


def write_set(part, names):
    """A set of ODinW with one picture and an object of each name."""
    path = Path(part.data_root, part.ann_file)
    picture = Path(part.data_root, part.data_prefix.img, 'a.jpg')
    for file in (path, picture):
        file.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (40, 30)).save(picture)
    path.write_text(json.dumps(dict(
        images=[dict(id=0, file_name='a.jpg', width=40, height=30)],
        categories=[dict(id=number, name=name) for number, name in enumerate(names, 1)],
        annotations=[dict(id=number, image_id=0, category_id=number, bbox=[number, 2, 6, 8], area=48, iscrowd=0)
                     for number in range(1, len(names) + 1)])))


@pytest.mark.parametrize('name', ['odinw13', 'odinw35'])
def test_sets_in_the_wild_are_scored_one_by_one(name, tmp_path):
    """The four sets of which the released models do not use the file's names are asked for theirs."""
    cfg = load(f'glee_r50_{name}', tmp_path, data_root=f'{tmp_path}/', **{'PillowResize.scale': (40, 30)})
    parts = {part.pipeline[1].source: part for part in parts_of(cfg.test_dataloader.dataset)}
    assert list(parts) == list(cfg.test_evaluator.sets)
    prompts = dict(CottontailRabbits='rabbits', EgoHands_generic='egohands', NorthAmericaMushrooms='mushrooms',
                   Packages='packages')
    for key, part in parts.items():
        write_set(part, ['CoW', 'chanterelle'] if key == 'NorthAmericaMushrooms' else [f'name of {key}'])
    asked = {item['data_samples'].source: item['data_samples'].text
             for item in DATASETS.build(cfg.test_dataloader.dataset)}
    assert asked == {key: load_vocabulary(f'odinw13_{prompts[key]}') if key in prompts else (f'name of {key}', )
                     for key in parts}
    numbers = score(cfg)
    assert [key for key in numbers if key.endswith('_bbox_mAP')] == [
        f'{name}/{key}_bbox_mAP' for key in (*parts, 'mean')]
    assert {numbers[f'{name}/{key}_bbox_mAP'] for key in (*parts, 'mean')} == {1.0}


def test_prompts_of_a_set_are_an_option(tmp_path):
    cfg = load('glee_r50_odinw13', tmp_path, data_root=f'{tmp_path}/', **{
        'test_dataloader.dataset.datasets.2.prompts': ['rabbit in the grass']})
    part = cfg.test_dataloader.dataset.datasets[2]
    write_set(part, ['Cottontail-Rabbit'])
    dataset = DATASETS.build(part)
    assert dataset.get_data_info(0)['text'] == ('rabbit in the grass', )
    assert dataset.metainfo['classes'] == ('Cottontail-Rabbit', )
    with pytest.raises(ValueError, match='`prompts` has 2 names for the 1 categories'):
        DATASETS.build(dict(part, prompts=['a', 'b'])).full_init()


def test_the_mean_over_sets_is_of_the_sets_that_have_the_number(tmp_path):
    """One object of two is found in the first set, none in the second; nothing is tested in the third."""
    cfg = load('glee_r50_odinw13', tmp_path, data_root=f'{tmp_path}/', **{'PillowResize.scale': (40, 30)})
    parts = cfg.test_dataloader.dataset.datasets[:3]
    for part in parts:
        write_set(part, ['rabbit'] if 'Rabbits' in part.data_root else ['boat', 'car'])
    metrics = dict(list(cfg.test_evaluator.sets.items())[:3])
    evaluator = Evaluator([MeanOfSetsMetric(metrics, prefix='m')])
    for part, kept in zip(parts[:2], (1, 0)):
        sample, = found_as_annotated(DATASETS.build(part))
        sample.pred_instances = sample.pred_instances[:kept]
        evaluator.process([sample])
    numbers = evaluator.evaluate(2)
    assert numbers['m/AerialMaritimeDrone_large_bbox_mAP'] == 0.5 and numbers['m/Aquarium_bbox_mAP'] == 0
    assert numbers['m/mean_bbox_mAP'] == 0.25 and not [key for key in numbers if 'Rabbits' in key]
    sample.set_metainfo(dict(text=('one', )))
    with pytest.raises(ValueError, match="the set 'Aquarium' asks for 1 names, but .* has 2 categories"):
        evaluator.process([sample])
    sample.set_metainfo(dict(source='else'))
    with pytest.raises(ValueError, match="a sample of the source 'else'"):
        evaluator.process([sample])
    with pytest.raises(ValueError, match="the metric of 'a' must be a CocoEvalMetric"):
        MeanOfSetsMetric(dict(a=dict(type='ReferringMetric')))


def test_omnilabel_and_test_dev_on_files_by_hand(tmp_path):
    options = {'data_root': f'{tmp_path}/', 'PillowResize.scale': (40, 30)}
    cfg = load('glee_r50_omnilabel', tmp_path / 'work', **options)
    content = json.loads((FORMATS / 'omnilabel/dataset_all_val.json').read_text())
    for row in content['images']:
        picture = tmp_path / 'omnilabel/images' / row['file_name']
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (40, 30)).save(picture)
    (tmp_path / 'omnilabel/dataset_all_val_v0.1.3.json').write_text(json.dumps(content))
    assert score(cfg)['omnilabel/AP-descr-pos'] == pytest.approx(1)
    assert len(json.loads((tmp_path / 'work/omnilabel.json').read_text())) == 5

    cfg = load('glee_r50_coco-test-dev', tmp_path / 'work', **options)
    (tmp_path / 'coco/annotations').mkdir(parents=True)
    (tmp_path / 'coco/test2017').mkdir()
    Image.new('RGB', (40, 30)).save(tmp_path / 'coco/test2017/a.jpg')
    (tmp_path / 'coco/annotations/image_info_test-dev2017.json').write_text(json.dumps(dict(
        images=[dict(id=1, file_name='a.jpg', width=40, height=30)], categories=[dict(id=1, name='person')])))
    assert score(cfg) == {}  # nothing is annotated; the files are written
    for kind in ('bbox', 'segm'):
        assert json.loads((tmp_path / f'work/coco_test-dev.{kind}.json').read_text()) == []
