"""Tiny files as the owners of data sets write them, each with the config of the stock data set that reads them.

Every function writes two pictures with two objects each below a folder and returns a config.
"""
import json
import pickle

import numpy as np
import pycocotools.mask as mask_utils
from mmdet.datasets import CityscapesDataset, CocoPanopticDataset, VOCDataset, iSAIDDataset
from PIL import Image

SIZE = (48, 64)  # height, width
BOXES = [(4, 6, 20, 16), (30, 20, 24, 20)]  # xywh
NAMES = ('star', 'red ring')
META_KEYS = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'text', 'tokens_positive')


def write_pictures(root, *paths, seed=0):
    """Noise in files below ``root``, the first of this seed, the others of the next ones."""
    for number, path in enumerate(paths, seed):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / path)


def polygon(x, y, width, height):
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def pipeline(masks=True, *steps, keys=(), load=None):
    """mmdet's own steps."""
    return [
        dict(type='LoadImageFromFile'),
        load or dict(type='LoadAnnotations', with_bbox=True, with_mask=masks),
        *steps,
        dict(type='PackDetInputs', meta_keys=(*META_KEYS, *keys))
    ]


def coco_file(root, masks=True, names=NAMES, used=(0, 1), first_id=1, pictures=('1.jpg', '2.jpg'), folder='img/'):
    """COCO's instances; ``used``: positions of the two objects' names."""
    write_pictures(root, *(folder + path for path in pictures))
    content = dict(
        images=[dict(id=number, file_name=path, height=SIZE[0], width=SIZE[1])
                for number, path in enumerate(pictures, 1)],
        categories=[dict(id=number, name=name) for number, name in enumerate(names, first_id)],
        annotations=[dict(id=2 * image + index, image_id=image, category_id=used[index] + first_id, bbox=list(box),
                          iscrowd=0, area=box[2] * box[3], **(dict(segmentation=[polygon(*box)]) if masks else {}))
                     for image in range(1, 1 + len(pictures)) for index, box in enumerate(BOXES)])
    (root / 'ann.json').write_text(json.dumps(content))
    return dict(data_root=str(root), ann_file='ann.json', data_prefix=dict(img=folder))


def change_file(root, change):
    """Rewrite the file of instances."""
    content = json.loads((root / 'ann.json').read_text())
    change(content)
    (root / 'ann.json').write_text(json.dumps(content))


def coco(root, **keys):
    return dict(type='CocoDataset', return_classes=True, metainfo=dict(classes=NAMES), pipeline=pipeline(),
                **coco_file(root, **keys))


def coco_boxes(root, **keys):
    return dict(coco(root, masks=False, **keys), pipeline=pipeline(False))


def lvis(root):
    def as_lvis(content):
        for image in content['images']:
            name = image.pop('file_name')
            image.update(coco_url=f'http://images.cocodataset.org/img/{name}', neg_category_ids=[],
                         not_exhaustive_category_ids=[])
        for category in content['categories']:
            category.update(frequency='f', image_count=2, instance_count=2)
    keys = coco(root)
    change_file(root, as_lvis)
    return dict(keys, type='LVISV1Dataset', data_prefix=dict(img=''))


def objects365_v1(root):
    keys = coco_boxes(root, pictures=('obj365_train_000000000001.jpg', 'obj365_train_000000000002.jpg'))
    return dict(keys, type='Objects365V1Dataset')


def objects365_v2(root):
    def add_folders(content):
        for image in content['images']:  # as its owner names them; the data set leaves patches out
            image['file_name'] = f'images/v2/patch0/{image["file_name"]}'
    keys = coco_boxes(root, folder='patch0/')
    change_file(root, add_folders)
    return dict(keys, type='Objects365V2Dataset', data_prefix=dict(img=''))


def v3det(root):
    keys = coco_boxes(root, pictures=('images/n00007846/1_a.jpg', 'images/n00007846/2_b.jpg'), folder='')
    keys.pop('metainfo')
    (root / 'names.txt').write_text('\n'.join(NAMES) + '\n')
    return dict(keys, type='V3DetDataset', label_file='names.txt')


def cityscapes(root):
    """A crowd of its own, which is ignored."""
    def add_crowd(content):
        mask = np.zeros(SIZE, np.uint8)
        mask[:6, :40] = 1
        rle = mask_utils.encode(np.asfortranarray(mask))
        content['annotations'].append(dict(
            content['annotations'][0], id=99, iscrowd=1, area=240, bbox=[0, 0, 40, 6],
            segmentation=dict(size=rle['size'], counts=rle['counts'].decode())))
    names = CityscapesDataset.METAINFO['classes']
    keys = coco(root, names=names, used=(0, 2), first_id=24, folder='leftImg8bit/train/', pictures=tuple(
        f'aachen/aachen_{number:06}_000019_leftImg8bit.png' for number in (0, 1)))
    change_file(root, add_crowd)
    return dict(keys, type='CityscapesDataset', metainfo=dict(classes=names))


def isaid(root):
    names = iSAIDDataset.METAINFO['classes']
    keys = coco(root, names=names, used=(1, 14), first_id=0, folder='train/images/', pictures=(
        'P0000_0_800_0_800.png', 'P0000_0_800_600_1400.png'))
    return dict(keys, type='iSAIDDataset', metainfo=dict(classes=names))


def crowdhuman(root):
    """A line a picture; of three boxes the last is no person but a part of the picture to ignore."""
    paths = ('273271,c9db000d5146c15.jpg', '273278,c9db000d5146c15.jpg')
    write_pictures(root, *(f'Images/{path}' for path in paths))
    people = [dict(tag='person', fbox=list(box), vbox=list(box), hbox=[box[0], box[1], 4, 4],
                   head_attr=dict(ignore=0, occ=0, unsure=0), extra=dict(box_id=index, occ=0))
              for index, box in enumerate(BOXES)]
    ignored = dict(tag='mask', fbox=[0, 0, 9, 9], vbox=[0, 0, 9, 9], hbox=[0, 0, 9, 9], extra=dict(ignore=1))
    (root / 'annotation_train.odgt').write_text('\n'.join(
        json.dumps(dict(ID=path[:-4], gtboxes=[*people, ignored])) for path in paths))
    return dict(type='CrowdHumanDataset', data_root=str(root), ann_file='annotation_train.odgt',
                data_prefix=dict(img='Images/'), pipeline=pipeline(False, give_names('crowdhuman', ('person', ))))


def give_names(source, names):
    """For data sets that hand out none."""
    return dict(type='SetSource', source=source, text=names)


def xml(root, names=NAMES, used=(0, 1), folder='', kind='XMLDataset'):
    """Of three objects the last is difficult, so that it is ignored."""
    write_pictures(root, *(f'{folder}JPEGImages/{number:06}.jpg' for number in (1, 2)))
    (root / folder / 'Annotations').mkdir()
    for number in (1, 2):
        objects = ''.join(
            f'<object><name>{names[position]}</name><difficult>{difficult}</difficult><bndbox><xmin>{x + 1}</xmin>'
            f'<ymin>{y + 1}</ymin><xmax>{x + w + 1}</xmax><ymax>{y + h + 1}</ymax></bndbox></object>'
            for position, (x, y, w, h), difficult in zip((*used, used[0]), (*BOXES, (40, 2, 9, 9)), (0, 0, 1)))
        (root / folder / f'Annotations/{number:06}.xml').write_text(
            f'<annotation><size><width>{SIZE[1]}</width><height>{SIZE[0]}</height><depth>3</depth></size>{objects}'
            '</annotation>')
    lists = root / folder / 'ImageSets/Main'
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text(''.join(f'{number:06}\n' for number in (1, 2)))
    return dict(type=kind, metainfo=dict(classes=names), data_root=str(root),
                ann_file=f'{folder}ImageSets/Main/train.txt', data_prefix=dict(sub_data_root=folder),
                pipeline=pipeline(False, give_names('xml', names)))


def voc(root):
    config = xml(root, VOCDataset.METAINFO['classes'], (11, 14), 'VOC2007/', 'VOCDataset')
    config.pop('metainfo')
    return config


def openimages(root):
    """Relative boxes; 'dog' is an 'animal' in the hierarchy, 'car' is not."""
    names = ('Animal', 'Dog', 'Car')
    codes = ('/m/0jbk', '/m/0bt9lr', '/m/0k4j')
    paths = ('OpenImages/train/000002b66c9c498e.jpg', 'OpenImages/train/000002b97e5471a0.jpg')
    write_pictures(root, *paths)
    stems = [path.split('/')[-1][:-4] for path in paths]
    rows = ['ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,'
            'IsInside']
    for stem in stems:
        for code, (x, y, w, h) in zip(codes[1:], BOXES):
            sides = x / SIZE[1], (x + w) / SIZE[1], y / SIZE[0], (y + h) / SIZE[0]
            rows.append(f'{stem},xclick,{code},1,{",".join(map(str, sides))},0,0,0,0,0')
    (root / 'boxes.csv').write_text('\n'.join(rows) + '\n')
    (root / 'names.csv').write_text(''.join(f'{code},{name}\n' for code, name in zip(codes, names)))
    (root / 'hierarchy.json').write_text(json.dumps(dict(LabelName='/m/0bl9f', Subcategory=[
        dict(LabelName=codes[0], Subcategory=[dict(LabelName=codes[1])]), dict(LabelName=codes[2])])))
    (root / 'metas.pkl').write_bytes(pickle.dumps([dict(filename=path, ori_shape=(*SIZE, 3)) for path in paths]))
    return dict(type='OpenImagesDataset', data_root=str(root), ann_file='boxes.csv', label_file='names.csv',
                hierarchy_file='hierarchy.json', meta_file='metas.pkl', data_prefix=dict(img='OpenImages/train/'),
                pipeline=pipeline(False, give_names('openimages', names), keys=('instances', )))


def panoptic(root):
    """A car and a person on a road; segments of one colour code each."""
    names = CocoPanopticDataset.METAINFO
    write_pictures(root, *(f'img/{number:012}.jpg' for number in (1, 2)))
    ids = np.full(SIZE, 300)
    for segment, (x, y, w, h) in zip((1, 70000), BOXES):
        ids[y:y + h, x:x + w] = segment
    categories = [dict(id=number, name=name, isthing=int(name in names['thing_classes']))
                  for number, name in enumerate(names['classes'], 1)]
    number_of = {category['name']: category['id'] for category in categories}
    boxes = {1: BOXES[0], 70000: BOXES[1], 300: (0, 0, SIZE[1], SIZE[0])}
    segments = [dict(id=segment, category_id=number_of[name], iscrowd=0, area=int((ids == segment).sum()),
                     bbox=list(boxes[segment])) for segment, name in ((1, 'car'), (70000, 'person'), (300, 'road'))]
    (root / 'maps').mkdir()
    for number in (1, 2):
        colours = np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8)
        Image.fromarray(colours).save(root / f'maps/{number:012}.png')
    (root / 'panoptic.json').write_text(json.dumps(dict(
        images=[dict(id=number, file_name=f'{number:012}.jpg', height=SIZE[0], width=SIZE[1]) for number in (1, 2)],
        annotations=[dict(image_id=number, file_name=f'{number:012}.png', segments_info=segments)
                     for number in (1, 2)],
        categories=categories)))
    return dict(type='CocoPanopticDataset', return_classes=True, data_root=str(root), ann_file='panoptic.json',
                data_prefix=dict(img='img/', seg='maps/'),
                pipeline=pipeline(load=dict(type='LoadPanopticMap'), keys=('stuff_text', 'segments_info')))


def odvg_boxes(root):
    write_pictures(root, 'img/1.jpg', 'img/2.jpg')
    (root / 'labels.json').write_text(json.dumps({str(index): name for index, name in enumerate(NAMES)}))
    instances = [dict(bbox=[x, y, x + w, y + h], label=index, category=NAMES[index])
                 for index, (x, y, w, h) in enumerate(BOXES)]
    (root / 'od.jsonl').write_text('\n'.join(json.dumps(dict(
        filename=f'{number}.jpg', height=SIZE[0], width=SIZE[1], detection=dict(instances=instances)))
        for number in (1, 2)))
    return dict(type='ODVGDataset', return_classes=True, data_root=str(root), ann_file='od.jsonl',
                label_map_file='labels.json', data_prefix=dict(img='img/'), pipeline=pipeline(False))


CAPTIONS = ('a star beside the red ring', 'the red ring under a star')


def spans(caption):
    """Of each name its letters in the caption."""
    return [[[caption.index(name), caption.index(name) + len(name)]] for name in NAMES]


def odvg_phrases(root):
    write_pictures(root, 'img/1.jpg', 'img/2.jpg')
    rows = []
    for number, caption in zip((1, 2), CAPTIONS):
        regions = [dict(bbox=[x, y, x + w, y + h], phrase=name, tokens_positive=span)
                   for name, span, (x, y, w, h) in zip(NAMES, spans(caption), BOXES)]
        rows.append(dict(filename=f'{number}.jpg', height=SIZE[0], width=SIZE[1],
                         grounding=dict(caption=caption, regions=regions)))
    (root / 'vg.jsonl').write_text('\n'.join(json.dumps(row) for row in rows))
    return dict(type='ODVGDataset', return_classes=True, data_root=str(root), ann_file='vg.jsonl',
                data_prefix=dict(img='img/'), pipeline=pipeline(False, dict(type='LoadTextAnnotations')))


def flickr30k(root):
    """MDETR's form of it: every box has category 1 and the number of a phrase of the entities."""
    write_pictures(root, 'img/1.jpg', 'img/2.jpg')
    (root / 'flickr.json').write_text(json.dumps(dict(
        images=[dict(id=number, file_name=f'{number}.jpg', height=SIZE[0], width=SIZE[1], caption=caption,
                     tokens_positive_eval=spans(caption)) for number, caption in zip((1, 2), CAPTIONS)],
        categories=[dict(id=1, name='object')],
        annotations=[dict(id=2 * image + index, image_id=image, category_id=1, bbox=list(box), iscrowd=0,
                          area=box[2] * box[3], phrase_ids=(0, 3)[index])
                     for image in (1, 2) for index, box in enumerate(BOXES)])))
    return dict(type='Flickr30kDataset', data_root=str(root), ann_file='flickr.json', data_prefix=dict(img='img/'),
                pipeline=pipeline(load=dict(type='LoadInstances', with_mask=False), keys=('phrase_ids', 'phrases')))


def refcoco(root):
    """With mmdet's own pipeline: masks alone."""
    keys = coco_file(root)
    refs = [dict(ref_id=number, ann_id=2 * number, image_id=number, split='train', category_id=1,
                 sentences=[dict(raw='The star on the left', sent='the star on the left')]) for number in (1, 2)]
    (root / 'refs.p').write_bytes(pickle.dumps(refs))
    load = dict(type='LoadAnnotations', with_mask=True, with_bbox=False, with_seg=False, with_label=False)
    return dict(type='RefCocoDataset', data_root=str(root), ann_file=keys['ann_file'], split_file='refs.p',
                data_prefix=dict(img_path='img/'), split='train', text_mode='select_first',
                pipeline=pipeline(load=load, keys=('gt_masks', )))


SENTENCES = ('a red star', 'a star that is red', 'the red ring beside the star on the left',
             'a ring that is neither blue nor green but as red as the star')  # 3, 5, 9 and 14 words


def dod(root):
    """Sentences 1 and 2 are the group of picture 1, 3 and 4 that of picture 2; its tests look for those of a group."""
    write_pictures(root, 'd3_images/1.jpg', 'd3_images/2.jpg')
    boxes = [(image, sentence, box) for image, own in ((1, (1, 2)), (2, (3, 4)))
             for sentence, box in zip(own, BOXES)]
    tables = dict(
        sentences={number: dict(id=number, raw_sent=text, anno_id=[number], group_id=[(number + 1) // 2])
                   for number, text in enumerate(SENTENCES, 1)},
        annotations={number: dict(id=number, sent_id=[number], image_id=image, group_id=image, bbox=[list(box)])
                     for number, (image, _, box) in enumerate(boxes, 1)},
        images={image: dict(id=image, file_name=f'{image}.jpg', height=SIZE[0], width=SIZE[1], group_id=image,
                            anno_id=[2 * image - 1, 2 * image]) for image in (1, 2)},
        groups={image: dict(id=image, inner_sent_id=[2 * image - 1, 2 * image], img_id=[image]) for image in (1, 2)})
    (root / 'd3_pkl').mkdir()
    for name, table in tables.items():
        (root / f'd3_pkl/{name}.pkl').write_bytes(pickle.dumps(table))
    (root / 'd3.json').write_text(json.dumps(dict(
        images=[dict(id=image, file_name=f'{image}.jpg', height=SIZE[0], width=SIZE[1]) for image in (1, 2)],
        categories=[dict(id=number, name=text) for number, text in enumerate(SENTENCES, 1)],
        annotations=[dict(id=number, image_id=image, category_id=sentence, bbox=list(box), iscrowd=0,
                          area=box[2] * box[3]) for number, (image, sentence, box) in enumerate(boxes, 1)])))
    return dict(type='DODDataset', data_root=str(root), ann_file='d3.json',
                data_prefix=dict(img='d3_images/', anno='d3_pkl'), pipeline=pipeline(False, keys=('sent_ids', )))
