"""The stage-2 mixture of still images as a config writes it, from files to padded batches."""
import itertools

import pytest
import torch
from image_files import edit_json, write_coco, write_refer
from mmengine.config import Config
from mmengine.runner import Runner

from projects.glee.models.data_preprocessors.data_preprocessor import GLEEDataPreprocessor

RECIPE = """
crop = dict(type='RandomApply', prob=0.5, transforms=[
    dict(type='RandomChoiceResize', resize_type='PillowResize', keep_ratio=True,
         scales=[(10**6, 400), (10**6, 500), (10**6, 600)]),
    dict(type='CropWindow', crop_size=(384, 600))])
resize = dict(type='RandomChoiceResize', resize_type='PillowResize', keep_ratio=True,
              scales=[(1333, short) for short in range(480, 801, 32)])


def category(source, supervision, **kwargs):
    masks = 'mask' in supervision
    return dict(
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=[
            dict(type='LoadImage', skip_unreadable=True),
            dict(type='SetSource', source=source, supervision=supervision),
            dict(type='LoadInstances', with_mask=masks),
            dict(type='RandomFlip', prob=0.5), crop, resize,
            *([dict(type='RasterizeMasks')] if masks else []),
            dict(type='FilterObjects'), dict(type='PackGLEEInputs')],
        **kwargs)


expression_pipeline = [
    dict(type='LoadImage', skip_unreadable=True),
    dict(type='SetSource', source='refcoco', text_mode='expression', label_table='object'),
    dict(type='CleanExpressions'), dict(type='PickExpression'), dict(type='LoadInstances'),
    dict(type='RandomFlip', prob=0.5), dict(type='SwapSidesOnFlip'),
    dict(type='UnlessOrdinal', transforms=[crop]), resize,
    dict(type='RasterizeMasks'), dict(type='BoxesFromMasks'),
    dict(type='FilterObjects', require_object=True), dict(type='PackGLEEInputs')]

masks, boxes = ('semantic', 'box', 'mask'), ('semantic', 'box')
train_dataloader = dict(
    batch_size=2, num_workers=0,
    sampler=dict(type='MixtureSampler', ratios=[1.5, 1.5, 1.5, 2.5], seed=0),
    batch_sampler=dict(type='MixtureBatchSampler'),
    dataset=dict(type='MixtureDataset', datasets=[
        category('coco', masks, type='TextCocoDataset', data_root=f'{root}/coco/',
                 ann_file='annotations/instances_train2017.json',
                 data_prefix=dict(img='train2017/')),
        category('lvis', masks, type='TextLVISDataset', data_root=root,
                 ann_file='lvis/lvis_v1_train.json', data_prefix=dict(img='coco/')),
        category('objects365', boxes, type='TextObjects365Dataset',
                 data_root=f'{root}/Objects365V2/',
                 ann_file='annotations/zhiyuan_objv2_train_new.json',
                 data_prefix=dict(img='train/')),
        dict(type='ReferDataset', data_root=f'{root}/coco/', ann_file='refcoco/instances.json',
             split_file='refcoco/refs(unc).p', split='train',
             data_prefix=dict(img_path='train2014/'), pipeline=expression_pipeline)]))
del category
"""


@pytest.fixture
def loader(tmp_path):
    names = tuple(f'star_({i})' for i in range(150))
    objects = [[(i, (10 + 9 * i, 20, 60, 40)) for i in range(4)]] * 3
    sizes = [(160, 120), (120, 160), (300, 100)]
    write_coco(tmp_path / 'coco', names[:5], objects, sizes)
    write_coco(tmp_path, names, objects, sizes, folder='coco/train2017',
               ann_file='lvis/lvis_v1_train.json', first_id=1)
    edit_json(tmp_path / 'lvis/lvis_v1_train.json', lambda content: [
        image.update(coco_url=f'http://x.org/train2017/{image.pop("file_name")}')
        for image in content['images']])
    o365 = 'annotations/zhiyuan_objv2_train_new.json'
    write_coco(tmp_path / 'Objects365V2', names, objects, sizes, 'train/patch0', o365)
    edit_json(tmp_path / 'Objects365V2' / o365, lambda content: (
        [image.update(file_name=f'patch0/{image["file_name"]}') for image in content['images']],
        [ann.pop('segmentation') for ann in content['annotations']]))
    write_refer(tmp_path / 'coco', [dict(ann=0, split='train', sentences=['The left star']),
                                    dict(ann=1, split='train', sentences=['second star!'])],
                [(1, 1, (4, 4, 80, 60)), (1, 1, (70, 30, 50, 60))], size=(160, 120))
    config = Config.fromstring(f'root = {str(tmp_path)!r}\n{RECIPE}', '.py')
    return Runner.build_dataloader(config.train_dataloader)


def test_every_source_reaches_the_model_as_described(loader):
    preprocess = GLEEDataPreprocessor()
    torch.manual_seed(0)
    seen = {}
    for batch in itertools.islice(loader, 24):
        data = preprocess(batch, training=True)
        first = data['data_samples'][0]
        seen.setdefault(first.source, set()).add(len(first.text))
        height, width = data['inputs'].shape[-2:]
        assert height % 32 == width % 32 == 0 and len(data['inputs']) == 2
        for sample in data['data_samples']:
            assert sample.source == first.source and sample.supervision == first.supervision
            short, long = sorted(sample.img_shape)
            # one of the scales, unless the long side stops it
            assert (short in range(480, 801, 32)) or (long == 1333 and short < 800)
            instances = sample.gt_instances
            assert ('masks' in instances) == ('mask' in sample.supervision)
            if 'masks' in instances:
                assert instances.masks.masks.shape == (len(instances), height, width)
            if sample.text_mode == 'expression':
                sentence, = sample.text
                assert sentence in ('second star', f'the {"right" if sample.flip else "left"} star')
                assert instances.labels.tolist() == [0] and sample.label_table == 'object'
            else:
                assert sample.text == first.text
                assert all(sample.text[i].startswith('star_(') for i in instances.labels)
                assert {sample.text[i] for i in instances.labels} <= {
                    f'star_({i})' for i in range(4)}
    assert seen == {'coco': {5}, 'lvis': {100}, 'objects365': {100}, 'refcoco': {1}}
