"""A training step and a tested picture of a mini GLEE on mmdet's data sets, in files as their owners write them."""
import json
import pickle

import numpy as np
import pytest
import torch
from mini_model import build, mini_config
from mmdet.registry import DATASETS
from mmengine.dataset import pseudo_collate
from PIL import Image

SIZE = (48, 64)  # height, width
BOXES = [(4, 6, 20, 16), (30, 20, 24, 20)]  # xywh
NAMES = ('star', 'red ring')


@pytest.fixture(scope='module')
def model():
    config = mini_config()
    config.panoptic_head.update(num_queries=10)
    return build(config)


@pytest.fixture
def root(tmp_path):
    """Two pictures with two objects each."""
    for folder in ('img', 'JPEGImages'):
        (tmp_path / folder).mkdir()
        for number in (1, 2):
            Image.fromarray(np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(
                tmp_path / folder / f'{number:012}.jpg')
    return tmp_path


def polygon(x, y, width, height):
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def coco_file(root, masks=True, **more):
    content = dict(
        images=[dict(id=number, file_name=f'{number:012}.jpg', height=SIZE[0], width=SIZE[1], **more.get('image', {}))
                for number in (1, 2)],
        categories=[dict(id=number, name=name) for number, name in enumerate(NAMES, 1)],
        annotations=[dict(id=2 * image + index, image_id=image, category_id=index + 1, bbox=list(box), iscrowd=0,
                          area=box[2] * box[3], **(dict(segmentation=[polygon(*box)]) if masks else {}))
                     for image in (1, 2) for index, box in enumerate(BOXES)])
    (root / 'ann.json').write_text(json.dumps(content))
    return dict(data_root=str(root), ann_file='ann.json', data_prefix=dict(img='img/'))


def pipeline(masks=True, *steps):
    return [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True, with_mask=masks),
        *steps,
        dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'text',
                                              'tokens_positive'))
    ]


def coco(root):
    return dict(type='CocoDataset', return_classes=True, metainfo=dict(classes=NAMES), pipeline=pipeline(),
                **coco_file(root))


def coco_boxes(root):
    return dict(coco(root), pipeline=pipeline(False), **coco_file(root, masks=False))


def lvis(root):
    keys = coco(root)
    content = json.loads((root / 'ann.json').read_text())
    for image in content['images']:
        name = image.pop('file_name')
        image.update(coco_url=f'http://images.cocodataset.org/img/{name}', neg_category_ids=[],
                     not_exhaustive_category_ids=[])
    (root / 'ann.json').write_text(json.dumps(content))
    return dict(keys, type='LVISV1Dataset', data_prefix=dict(img=''))


def objects365(root):
    keys = coco_boxes(root)
    content = json.loads((root / 'ann.json').read_text())
    for image in content['images']:
        image['file_name'] = f'images/v2/patch0/{image["file_name"]}'  # as its owner names them; patches are left out
    (root / 'ann.json').write_text(json.dumps(content))
    (root / 'patch0').symlink_to(root / 'img')
    return dict(keys, type='Objects365V2Dataset', data_prefix=dict(img=''))


def xml(root):
    (root / 'Annotations').mkdir()
    for number in (1, 2):
        objects = ''.join(
            f'<object><name>{name}</name><difficult>0</difficult><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin>'
            f'<xmax>{x + w + 1}</xmax><ymax>{y + h + 1}</ymax></bndbox></object>'
            for name, (x, y, w, h) in zip(NAMES, BOXES))
        (root / f'Annotations/{number:012}.xml').write_text(
            f'<annotation><size><width>{SIZE[1]}</width><height>{SIZE[0]}</height><depth>3</depth></size>{objects}'
            '</annotation>')
    (root / 'ids.txt').write_text(''.join(f'{number:012}\n' for number in (1, 2)))
    # it has no return_classes: a step hands out the names
    return dict(type='XMLDataset', metainfo=dict(classes=NAMES), data_root=str(root), ann_file='ids.txt',
                data_prefix=dict(sub_data_root=''),
                pipeline=pipeline(False, dict(type='SetSource', source='xml', supervision=('semantic', 'box'),
                                              text=NAMES)))


def odvg_boxes(root):
    (root / 'labels.json').write_text(json.dumps({str(index): name for index, name in enumerate(NAMES)}))
    instances = [dict(bbox=[x, y, x + w, y + h], label=index, category=NAMES[index])
                 for index, (x, y, w, h) in enumerate(BOXES)]
    (root / 'od.jsonl').write_text('\n'.join(json.dumps(dict(
        filename=f'{number:012}.jpg', height=SIZE[0], width=SIZE[1], detection=dict(instances=instances)))
        for number in (1, 2)))
    return dict(type='ODVGDataset', return_classes=True, data_root=str(root), ann_file='od.jsonl',
                label_map_file='labels.json', data_prefix=dict(img='img/'), pipeline=pipeline(False))


def odvg_phrases(root):
    captions = ('a star beside the red ring', 'the red ring under a star')
    rows = []
    for number, caption in zip((1, 2), captions):
        regions = [dict(bbox=[x, y, x + w, y + h], phrase=name,
                        tokens_positive=[[caption.index(name), caption.index(name) + len(name)]])
                   for name, (x, y, w, h) in zip(NAMES, BOXES)]
        rows.append(dict(filename=f'{number:012}.jpg', height=SIZE[0], width=SIZE[1],
                         grounding=dict(caption=caption, regions=regions)))
    (root / 'vg.jsonl').write_text('\n'.join(json.dumps(row) for row in rows))
    return dict(type='ODVGDataset', return_classes=True, data_root=str(root), ann_file='vg.jsonl',
                data_prefix=dict(img='img/'), pipeline=pipeline(False, dict(type='LoadTextAnnotations')))


def refcoco(root):
    keys = coco_file(root)
    refs = [dict(ref_id=number, ann_id=2 * number, image_id=number, split='train', category_id=1,
                 sentences=[dict(raw='The star on the left', sent='the star on the left')]) for number in (1, 2)]
    (root / 'refs.p').write_bytes(pickle.dumps(refs))
    return dict(type='RefCocoDataset', data_root=str(root), ann_file=keys['ann_file'], split_file='refs.p',
                data_prefix=dict(img_path='img/'), split='train', text_mode='select_first', pipeline=[
                    dict(type='LoadImageFromFile'), dict(type='LoadInstances'),
                    dict(type='SetSource', source='refcoco', text_mode='expression'), dict(type='RasterizeMasks'),
                    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'text',
                                                          'text_mode'))])


def concatenated(root):
    return dict(type='ConcatDataset', datasets=[coco(root), coco(root)])


def repeated(root):
    return dict(type='RepeatDataset', times=2, dataset=coco(root))


def balanced(root):
    return dict(type='ClassBalancedDataset', oversample_thr=0.5, dataset=coco(root))


def mixed(*steps, masks=False):
    """mmdet's Mosaic and MixUp know no masks."""
    def config(root):
        inner = dict(coco(root), pipeline=pipeline(masks)[:-1])
        return dict(type='MultiImageMixDataset', dataset=inner, pipeline=[*steps, pipeline()[-1]])
    return config


CELLS = dict(
    CocoDataset=(coco, True), CocoDataset_boxes=(coco_boxes, False), LVISV1Dataset=(lvis, True),
    Objects365V2Dataset=(objects365, False), XMLDataset=(xml, False), ODVGDataset_OD=(odvg_boxes, False),
    ODVGDataset_VG=(odvg_phrases, False), RefCocoDataset=(refcoco, True), ConcatDataset=(concatenated, True),
    RepeatDataset=(repeated, True), ClassBalancedDataset=(balanced, True),
    CopyPaste=(mixed(dict(type='CopyPaste'), masks=True), True),
    Mosaic=(mixed(dict(type='Mosaic', img_scale=SIZE[::-1])), False),
    MixUp=(mixed(dict(type='MixUp', img_scale=SIZE[::-1])), False))
KNOWN_NAMES = {'RefCocoDataset': ('the star on the left', )}


@pytest.mark.parametrize('cell', CELLS)
def test_one_step_and_one_tested_picture(cell, root, model):
    config, has_masks = CELLS[cell]
    dataset = DATASETS.build(config(root))
    np.random.seed(0)
    torch.manual_seed(0)
    items = [dataset[0], dataset[len(dataset) - 1]]
    assert all(len(item['data_samples'].gt_instances) for item in items)
    model.train()
    data = model.data_preprocessor(pseudo_collate(items), True)
    losses = model.loss(data['inputs'], data['data_samples'])
    total, terms = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total) and terms['loss_cls'] > 0 and terms['loss_bbox'] > 0
    assert (terms['loss_mask'] > 0) == has_masks
    model.zero_grad()
    model.eval()
    names = KNOWN_NAMES.get(cell, NAMES)
    with torch.no_grad():
        sample = model.test_step(pseudo_collate(items[:1]))[0]
    assert set(sample.text) == set(names)
    found = sample.pred_instances
    assert len(found) and 0 <= int(found.labels.min()) and int(found.labels.max()) < len(names)


def test_without_text_the_classes_of_training_are_tested_and_without_those_nothing(root, model):
    items = [DATASETS.build(dict(coco(root), return_classes=False))[0]]
    model.eval()
    with pytest.raises(KeyError, match='has no `text` and the model no dataset_meta'), torch.no_grad():
        model.test_step(pseudo_collate(items))
    model.dataset_meta = dict(classes=NAMES)
    with torch.no_grad():
        assert model.test_step(pseudo_collate(items))[0].text == NAMES
    with pytest.raises(KeyError, match='return_classes=True'):
        model.data_preprocessor(pseudo_collate(items), True)
