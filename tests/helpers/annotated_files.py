"""The smallest sound file of each format, and what reads it: for tests of files that lack something."""
import json
import pickle
from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData, PixelData
from PIL import Image

from projects.glee.datasets import conversion, image, video
from projects.glee.datasets.transforms import LoadSA1BMasks
from projects.glee.evaluation.functional import result_checks
from projects.glee.evaluation.metrics import CocoEvalMetric, LVISEvalMetric, PanopticMetric
from projects.glee.structures.masks import encode
from projects.glee.structures.panoptic_ids import id2rgb

HEIGHT, WIDTH = 12, 16
POLYGON = [[2, 2, 10, 2, 10, 8, 2, 8]]
MASK = np.zeros((HEIGHT, WIDTH), bool)
MASK[2:8, 2:10] = True
RLE = encode(MASK)
BOX = [2, 2, 8, 6]
CATEGORIES = [dict(id=3, name='star'), dict(id=8, name='ring')]


class Case(NamedTuple):
    """``files``: content by name below the folder; those in ``changed`` are spoiled, each key in turn. ``read`` gives
    what a reader, a converter or a metric makes of the folder. ``optional``: keys that may be missing or null, and
    ``free``: that may be anything, without a word."""
    files: dict[str, Any]
    read: Callable[[Path], Any]
    changed: tuple[str, ...] = ('a.json', )
    optional: tuple[str, ...] = ('annotations', )
    free: tuple[str, ...] = ('info', )


def write_files(folder: Path, files: dict[str, Any]) -> None:
    """JSON by name; ``.p`` are pickles and text is written as it is."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith('.p'):
            path.write_bytes(pickle.dumps(content))
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))


def make_pictures(folder: Path) -> None:
    """Frames and maps that the files mean."""
    for name in ('a', 'b', 'v/0', 'v/1', 'd/s/0', 'd/s/1', 'JPEGImages/v/0', 'JPEGImages/v/1'):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (WIDTH, HEIGHT), 'white').save(folder / f'{name}.jpg')
    for name in ('ann/v/0', 'ann/v/1'):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(MASK.astype(np.uint8)).save(folder / f'{name}.png')
    for frame in '01':
        (folder / 'results/v/0').mkdir(parents=True, exist_ok=True)
        Image.fromarray(MASK.astype(np.uint8) * 255).save(folder / f'results/v/0/{frame}.png')
    Image.fromarray(id2rgb(MASK.astype(int) + 1)).save(folder / 'a.png')


# ---- contents ----
def coco() -> dict:
    return dict(
        info={}, images=[dict(id=number, file_name=f'{name}.jpg', width=WIDTH, height=HEIGHT)
                         for number, name in ((5, 'a'), (6, 'b'))],
        annotations=[dict(id=number, image_id=image, category_id=category, bbox=BOX, area=48, iscrowd=0,
                          segmentation=POLYGON) for number, image, category in ((1, 5, 3), (2, 6, 8))],
        categories=CATEGORIES)


def omnilabel() -> dict:
    content = coco()
    kinds = ('object_category', 'object_description')
    return dict(
        info={}, images=content['images'], annotations=[
            dict(id=row['id'], image_id=row['image_id'], bbox=BOX, description_ids=[row['category_id']], iscrowd=0)
            for row in content['annotations']],
        descriptions=[dict(id=number, text=text, image_ids=[5, 6], anno_info=dict(type=kind))
                      for number, text, kind in zip((3, 8), ('star', 'the white ring'), kinds)])


def lvis() -> dict:
    content = coco()
    for row in content['images']:
        row.update(coco_url=f'http://x/val2017/{row["file_name"]}', neg_category_ids=[8],
                   not_exhaustive_category_ids=[])
    return dict(content, categories=[dict(row, frequency='f') for row in CATEGORIES])


def phrases() -> dict:
    content = coco()
    for row in content['annotations']:
        row['caption'] = 'a star'
    return dict(content, categories=[])


def refcoco() -> dict:
    content = coco()
    for row in content['images']:
        row.update(expressions=['the left one'], original_id=row['id'])
    return content


def refs() -> list:
    return [dict(ref_id=7, ann_id=1, image_id=5, split='val', sentences=[dict(raw='the left one')]),
            dict(ref_id=8, ann_id=2, image_id=6, split='val', sentences=[dict(raw='the ring')])]


def ytvis(tracks: int = 2, **more) -> dict:
    return dict(
        videos=[dict(id=4, width=WIDTH, height=HEIGHT, length=2, file_names=['v/0.jpg', 'v/1.jpg'], **more)],
        annotations=[dict(id=number, video_id=4, category_id=category, iscrowd=0, areas=[48, None], bboxes=[BOX, None],
                          segmentations=[RLE, None]) for number, category in ((1, 3), (2, 8))[:tracks]],
        categories=CATEGORIES)


def tao() -> dict:
    return dict(
        videos=[dict(id=4, name='v', width=WIDTH, height=HEIGHT, neg_category_ids=[8],
                     not_exhaustive_category_ids=[])],
        images=[dict(id=40 + frame, video_id=4, frame_index=frame, file_name=f'v/{frame}.jpg', width=WIDTH,
                     height=HEIGHT) for frame in range(2)],
        tracks=[dict(id=1, video_id=4, category_id=3)],
        annotations=[dict(id=9, video_id=4, image_id=40, track_id=1, category_id=3, bbox=BOX, iscrowd=0)],
        categories=[dict(CATEGORIES[0], merged=[dict(id=8, name='ring')]), dict(CATEGORIES[1], merged=[])])


def burst() -> dict:
    return dict(sequences=[dict(
        id=1, dataset='d', seq_name='s', width=WIDTH, height=HEIGHT, annotated_image_paths=['0.jpg', '1.jpg'], fps=1,
        neg_category_ids=[8], not_exhaustive_category_ids=[], track_category_ids={'1': 3},
        segmentations=[{'1': dict(rle=RLE['counts'])}, {}])], categories=CATEGORIES)


def expressions() -> dict:
    content = ytvis(1, **ENTRY)
    content['annotations'][0].update(bboxes=[BOX, BOX], segmentations=[RLE, RLE])
    return content


def meta() -> dict:
    return dict(videos=dict(v=dict(frames=['0', '1'], expressions={
        '0': dict(exp='the left one', obj_id=1, anno_id=[7])})))


def ref_davis() -> dict:
    return dict(videos=dict(v=dict(frames=['0', '1'], expressions={
        str(number): dict(exp='the left one') for number in range(4)})))


def scalabel() -> list:
    ring = [[2, 2], [10, 2], [10, 8], [2, 8]]
    return [dict(name=f'{frame}.jpg', videoName='v', frameIndex=frame, size=dict(width=WIDTH, height=HEIGHT), labels=[
        dict(id='1', category='car', attributes=dict(crowd=False), box2d=dict(x1=2, y1=2, x2=9, y2=7),
             poly2d=[dict(vertices=ring, types='LLLL', closed=True)])]) for frame in range(2)]


def panoptic() -> dict:
    return dict(
        images=[dict(id=5, file_name='a.jpg', width=WIDTH, height=HEIGHT)],
        annotations=[dict(image_id=5, file_name='a.png', segments_info=[
            dict(id=1, category_id=8, area=int((~MASK).sum()), iscrowd=0),
            dict(id=2, category_id=3, area=int(MASK.sum()), iscrowd=0)])],
        categories=[dict(CATEGORIES[0], isthing=1), dict(CATEGORIES[1], isthing=0)])


# ---- what reads them ----
def items(dataset) -> list:
    return [dataset.get_data_info(number) for number in range(len(dataset))]


def reads(kind: type, **options) -> Callable[[Path], Any]:
    """A data set's items, read from a.json."""
    def read(folder: Path) -> Any:
        settings = dict(dict(ann_file='a.json', data_prefix=dict(img=''), pipeline=[], serialize_data=False), **options)
        data = kind(data_root=f'{folder}/', **settings)
        return items(data), data.metainfo.get('classes')

    return read


def sa1b_masks(folder: Path) -> Any:
    masks = [dict(instance) for instance in items(image.SA1BDataset(
        data_root=f'{folder}/', ann_file='index.json', data_prefix=dict(img=''), pipeline=[]))[:1]]
    return [LoadSA1BMasks().transform(item)['instances'] for item in masks]


def converts(convert: Callable, *arguments: Any, **keywords: Any) -> Callable[[Path], Any]:
    """What a converter writes from the folder, and what it says."""
    def read(folder: Path) -> Any:
        out = folder / 'out.json'
        for path in folder.glob('out.json.parts/*'):
            path.unlink()
        skipped = convert(*(folder / part if isinstance(part, str) else [folder / one for one in part]
                            for part in arguments), out, **keywords)
        said = getattr(skipped, 'summary', str)()
        notes = ''.join(f'; {reason} (first: {where})' for reason, (_, where) in skipped.notes.items())
        return json.loads(out.read_text()), said + notes

    return read


def converts_refer(folder: Path) -> Any:
    counts = conversion.convert_refer(folder / 'refs.p', folder / 'a.json', folder / 'out', 'refcoco')
    return json.loads((folder / 'out/instances_val.json').read_text()), counts.summary()


def scores(metric: type, **options) -> Callable[[Path], Any]:
    """The numbers of perfect detections in both pictures."""
    def read(folder: Path) -> Any:
        evaluator = Evaluator([metric(ann_file=str(folder / 'a.json'), metric=['bbox', 'segm'], **options)])
        evaluator.dataset_meta = dict(classes=('star', 'ring'))
        for number, label in ((5, 0), (6, 1)):
            evaluator.process([DetDataSample(
                metainfo=dict(img_id=number, ori_shape=MASK.shape), pred_instances=InstanceData(
                    bboxes=torch.tensor([[2., 2, 10, 8]]), scores=torch.tensor([.9]), labels=torch.tensor([label]),
                    masks=torch.from_numpy(MASK[None])))])
        return evaluator.evaluate(2)

    return read


def scores_panoptic(folder: Path) -> Any:
    evaluator = Evaluator([PanopticMetric(str(folder / 'a.json'), str(folder))])
    evaluator.dataset_meta = dict(classes=('star', 'ring'))
    found = torch.from_numpy(np.where(MASK, 1000, 1))[None]
    evaluator.process([DetDataSample(metainfo=dict(img_id=5), pred_panoptic_seg=PixelData(sem_seg=found))])
    return evaluator.evaluate(1)


def checks(name: str, truth: str = 'a.json') -> Callable[[Path], Any]:
    return lambda folder: getattr(result_checks, name)(str(folder / 'results.json'), str(folder / truth))


TRACK_RESULTS = [dict(video_id=4, category_id=3, score=.5, segmentations=[RLE, None])]
TAO_RESULTS = [dict(image_id=40, video_id=4, category_id=3, track_id=1, score=.5, bbox=BOX)]
BDD_RESULTS = [dict(name=f'{frame}.jpg', videoName='v', frameIndex=frame, labels=[
    dict(id='1', category='star', score=.5, rle=RLE)]) for frame in range(2)]
BURST_RESULTS = dict(sequences=[dict(burst()['sequences'][0])])
BOTH = ('a.json', 'results.json')
VIDEO_OPTIONAL = ('annotations', 'segmentations', 'bboxes', 'areas', 'length')
FEDERATION = ('neg_category_ids', 'not_exhaustive_category_ids')
# what converters that pick rows hand on as it is
WHATEVER = ('info', 'id', 'image_id', 'file_name', 'width', 'height', 'expressions', 'category_id', 'bbox', 'area',
            'iscrowd', 'segmentation', 'categories', 'name', 'frequency')
ENTRY = dict(video='v', expressions=['the left one'], exp_id='0', obj_id=1)

CASES = dict(
    TextCocoDataset=Case({'a.json': coco()}, reads(image.TextCocoDataset, masks='required')),
    TextLVISDataset=Case({'a.json': lvis()}, reads(image.TextLVISDataset, check_files=False),
                         optional=('annotations', 'coco_url', 'segmentation')),
    TextObjects365Dataset=Case({'a.json': coco()}, reads(image.TextObjects365Dataset, test_mode=True),
                               optional=('annotations', 'segmentation')),
    PhraseDataset=Case({'a.json': phrases()}, reads(image.PhraseDataset)),
    SA1BDataset=Case({'index.json': coco(), 'a.json': dict(annotations=[coco()['annotations'][0]])}, sa1b_masks,
                     free=('segmentation', )),  # LoadInstances names those
    RefCocoJsonDataset=Case({'a.json': refcoco()}, reads(image.RefCocoJsonDataset), free=('info', 'expressions')),
    ReferDataset=Case({'a.json': coco(), 'refs.p': refs()}, reads(
        image.ReferDataset, split_file='refs.p', split='val', data_prefix=dict(img_path='')), ('a.json', 'refs.p'),
                      optional=('split', )),
    VideoFramesDataset=Case({'a.json': ytvis()}, reads(video.VideoFramesDataset, masks='required'),
                            optional=VIDEO_OPTIONAL),
    YTVISJsonDataset=Case({'a.json': ytvis()}, reads(video.YTVISJsonDataset, test_mode=True), optional=VIDEO_OPTIONAL,
                          free=('info', 'areas')),
    YTVISJsonDataset_TAO=Case(
        {'a.json': ytvis(image_ids=[40, 41]), 'eval.json': tao()},
        reads(video.YTVISJsonDataset, eval_file='eval.json', test_mode=True), ('eval.json', 'a.json'),
        optional=(*VIDEO_OPTIONAL, *FEDERATION, 'videos', 'name', 'merged')),
    ExpressionVideosDataset=Case(
        {'a.json': expressions()}, reads(video.ExpressionVideosDataset, test_mode=True),
        optional=(*VIDEO_OPTIONAL, 'obj_id', 'exp_id', 'name'), free=('expressions', 'categories', 'areas')),
    BURSTDataset=Case({'a.json': burst()}, reads(video.BURSTDataset, test_mode=True), optional=(
        *FEDERATION, 'segmentations', '1'), free=('fps', 'id')),
    MetaExpressionsDataset=Case(
        {'a.json': meta(), 'masks.json': {'7': [RLE, None]}},
        reads(video.MetaExpressionsDataset, mask_file='masks.json', test_mode=True), ('a.json', 'masks.json'),
        optional=('anno_id', '7')),
    RefDavisDataset=Case({'a.json': ref_davis()}, reads(
        video.RefDavisDataset, data_prefix=dict(img='JPEGImages/', ann='ann/'), test_mode=True)),
    PNGTreeDataset=Case(
        {'a.json': dict(videos=dict(v=dict(objects={'1': dict(category='star', frames=['0', '1'])})))},
        reads(video.PNGTreeDataset, ann_file='', meta_file='a.json', data_prefix=dict(img='JPEGImages/', ann='ann/'),
              unseen_categories=('star', ), test_mode=True), optional=('objects', 'category', 'v', '1')),
    convert_videos=Case({'a.json': ytvis()}, converts(conversion.convert_videos, 'a.json'), optional=VIDEO_OPTIONAL),
    convert_referring_videos=Case(
        {'a.json': expressions()}, converts(conversion.convert_referring_videos, 'a.json'),
        optional=(*VIDEO_OPTIONAL, 'obj_id', 'video'), free=('expressions', 'areas')),
    merge_refcoco=Case(
        {'a.json': refcoco(), 'held.json': dict(images=[dict(id=1, original_id=99)])},
        converts(conversion.merge_refcoco, ['a.json'], ['held.json']), ('a.json', 'held.json'),
        optional=('annotations', 'original_id'), free=WHATEVER),
    convert_refer=Case({'a.json': coco(), 'refs.p': refs()}, converts_refer, ('a.json', 'refs.p'), ('area', )),
    convert_tao=Case({'a.json': tao()}, converts(conversion.convert_tao, 'a.json'),
                     optional=('annotations', 'merged'), free=('name', 'merged', *FEDERATION)),
    convert_visual_genome=Case(
        {'a.json': [dict(image_id=1, objects=[dict(object_id=1, names=['star'], x=2, y=2, w=8, h=6)])],
         'images.json': [dict(image_id=1, url='http://x/VG_100K/1.jpg', width=WIDTH, height=HEIGHT)]},
        converts(conversion.convert_visual_genome, 'a.json', 'images.json'), ('a.json', 'images.json')),
    convert_lvis_minival=Case({'a.json': lvis()}, converts(conversion.convert_lvis_minival, 'a.json'), optional=(
        'annotations', 'coco_url'), free=(*WHATEVER, *FEDERATION)),
    convert_uvo=Case({'a.json': coco()}, converts(conversion.convert_uvo, 'a.json'), optional=(
        'annotations', ), free=WHATEVER),
    convert_sa1b=Case(
        {'raw/sa_1.json': dict(image=dict(image_id=1, file_name='a.jpg', width=WIDTH, height=HEIGHT),
                               annotations=coco()['annotations'][:1])},
        converts(conversion.convert_sa1b, 'raw', 'thin'), ('raw/sa_1.json', )),
    convert_bdd_images=Case({'a.json': scalabel()}, converts(conversion.convert_bdd_images, 'a.json', masks=True),
                            optional=('attributes', 'crowd', 'types', 'size', 'labels')),
    convert_bdd_tracks=Case({'a.json': scalabel()}, converts(conversion.convert_bdd_tracks, 'a.json'), optional=(
        'attributes', 'crowd', 'size', 'videoName', 'frameIndex', 'labels')),
    convert_grit=Case(
        {'raw/00000/1.json': dict(key='1', status='success', caption='a dog', width=WIDTH, height=HEIGHT,
                                  noun_chunks=[[2, 5, .1, .1, .5, .5, .9]])},
        converts(conversion.convert_grit, 'raw'), ('raw/00000/1.json', )),
    convert_ref_youtube_vos=Case({'a.json': meta()}, converts(
        conversion.convert_ref_youtube_vos, 'a.json', 'JPEGImages', 'ann'), optional=('frames', '0')),
    OmniLabelDataset=Case({'a.json': omnilabel()}, reads(image.OmniLabelDataset, test_mode=True), free=(
        'info', 'id', 'iscrowd', 'type')),
    CocoEvalMetric=Case({'a.json': coco()}, scores(CocoEvalMetric)),
    LVISEvalMetric=Case({'a.json': lvis()}, scores(LVISEvalMetric)),
    PanopticMetric=Case({'a.json': panoptic()}, scores_panoptic, optional=()),
    check_vis=Case({'a.json': ytvis(), 'results.json': TRACK_RESULTS}, checks('check_vis'), BOTH),
    check_tao=Case({'a.json': tao(), 'results.json': TAO_RESULTS}, checks('check_tao'), BOTH),
    check_burst=Case({'a.json': burst(), 'results.json': BURST_RESULTS}, checks('check_burst'), BOTH, optional=('1', )),
    check_expression_masks=Case({'a.json': meta()}, lambda folder: result_checks.check_expression_masks(
        str(folder / 'results'), str(folder / 'JPEGImages'), str(folder / 'a.json')),
        optional=('exp', 'obj_id', 'anno_id', 'frames'), free=('0', 'exp', 'obj_id', 'anno_id', 'frames')),
    check_bdd=Case({'a.json': ytvis(), 'results.json': BDD_RESULTS}, checks('check_bdd'), BOTH, optional=('name', )),
)
