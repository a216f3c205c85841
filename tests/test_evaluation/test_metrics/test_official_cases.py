"""Small data sets in the benchmarks' own files, for which the official programs' numbers are known.

Each file of tests/data/metrics holds ``metric``, ``official`` (the program and its version), the inputs and
``expected``. They are read by our readers and scored by the metrics of our configs.
"""
import json

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from paths import CONFIGS, METRIC_CASES
from PIL import Image
from video_cases import decoded
from video_feed import feed, read_videos

from projects.glee.evaluation.functional.sentence_map import sentence_map
from projects.glee.evaluation.functional.video_record import VideoRecord
from projects.glee.evaluation.metrics import BURSTMetric, TETAMetric
from projects.glee.models.trackers.expression_tracker import BACKGROUND
from projects.glee.models.trackers.object_merge import ObjectMerge
from projects.glee.structures import Track, encode_mask, palette_picture

SHAPE = (20, 40)


def case(name):
    return json.loads((METRIC_CASES / f'{name}.json').read_text())


def metric_of(file, name):
    """The metric of a file of test sets, which writes nothing."""
    config = Config.fromfile(CONFIGS / f'_base_/datasets/{file}.py')[name]
    return METRICS.build(dict(config, outfile_prefix=None, resume_dir=None))


def numbers_of(metric, videos, meta):
    """What the metric says, without its prefix."""
    feed(metric, videos, meta=meta)
    return {key.partition('/')[2]: value for key, value in metric.evaluate(len(videos)).items()}


def assert_official(numbers, expected):
    """-1 stands for a number of which nothing is annotated."""
    expected = {key: value for key, value in expected.items() if value != -1}
    assert numbers == pytest.approx(expected, abs=1e-9)


def reader(folder, **options):
    """A test set of files in a folder."""
    return DATASETS.build(dict(dict(data_root=f'{folder}/', data_prefix=dict(img=''), test_mode=True, pipeline=[]),
                               **options))


# ---- TETA ----
def teta_tracks(results, dataset, videos):
    """Tracks from the rows of a result file, in the order in which they first appear."""
    labels = {category: label for label, category in enumerate(dataset.metainfo['category_ids'])}
    for video in videos:
        frames = {frame['img_id']: position for position, frame in enumerate(video.frames)}
        tracks = {}
        for row in (row for row in results if row['video_id'] == video.video_id):
            empty = [None] * len(frames)
            track = tracks.setdefault(row['track_id'], Track(row['track_id'], labels[row['category_id']], row['score'],
                                                             empty, list(empty)))
            x, y, width, height = row['bbox']
            track.bboxes[frames[row['image_id']]] = [x, y, x + width, y + height]
        video.tracks = list(tracks.values())


def teta_numbers(content, folder):
    """Numbers of a case with TAO's validation.json and the file in the YouTube-VIS layout."""
    (folder / 'ytvis.json').write_text(json.dumps(content['ytvis']))
    categories = [dict(row, merged=[]) for row in content['ground_truth']['categories']]  # nothing is merged
    (folder / 'validation.json').write_text(json.dumps(dict(content['ground_truth'], categories=categories)))
    dataset = reader(folder, type='YTVISJsonDataset', ann_file='ytvis.json', eval_file='validation.json')
    videos = read_videos(dataset)
    teta_tracks(content['results'], dataset, videos)
    return numbers_of(TETAMetric(max_per_frame=content.get('max_detections') or None), videos, dataset.metainfo)


@pytest.mark.parametrize('name', ['empty_image', 'file_order', 'capped', 'rounding'])
def test_teta(name, tmp_path):
    content = case(f'teta_{name}')
    assert_official(teta_numbers(content, tmp_path), content['expected'])


@pytest.mark.parametrize('number', range(5))
def test_teta_of_random_sets(number, tmp_path):
    content = case('teta_cases')['cases'][number]
    assert_official(teta_numbers(content, tmp_path), content['expected'])


# ---- BURST ----
@pytest.mark.parametrize('name', ['box_hota', 'empty_frame', 'exact_iou', 'equal_scores'])
def test_burst(name, tmp_path):
    content = case(f'burst_{name}')
    (tmp_path / 'all_classes.json').write_text(json.dumps(content['all_classes']))
    dataset = reader(tmp_path, type='BURSTDataset', ann_file='all_classes.json')
    labels = {category: label for label, category in enumerate(dataset.metainfo['category_ids'])}
    videos = read_videos(dataset)
    for video, tracks in zip(videos, content['tracks'], strict=True):
        video.tracks = [Track(number, labels[track['category_id']], track['score'], track['masks'],
                              [None] * len(video.frames)) for number, track in enumerate(tracks, 1)]
    assert_official(numbers_of(BURSTMetric(), videos, dataset.metainfo), content['expected'])


def test_masks_in_burst_hota_are_an_option(tmp_path):
    """Two L shapes with one box: boxes are equal, masks have an IoU of 1/3."""
    content = case('burst_box_hota')
    (tmp_path / 'all_classes.json').write_text(json.dumps(content['all_classes']))
    dataset = reader(tmp_path, type='BURSTDataset', ann_file='all_classes.json')
    videos = read_videos(dataset)
    for number, track in enumerate(content['tracks'][0]):
        videos[0].tracks.append(Track(number + 1, number, track['score'], track['masks'], [None]))
    numbers = numbers_of(BURSTMetric(hota_iou_type='segm'), videos, dataset.metainfo)
    first, second = (decoded(masks[0], SHAPE) for masks in (
        content['tracks'][0][0]['masks'], [dict(size=SHAPE, counts=content['all_classes']['sequences'][0][
            'segmentations'][0]['1']['rle'])]))
    passed = sum((first & second).sum() / (first | second).sum() >= alpha for alpha in np.arange(0.05, 0.99, 0.05))
    assert numbers['HOTA_common'] == pytest.approx(passed / 19) and passed < 19


# ---- video instance segmentation ----
@pytest.mark.parametrize('name', ['vis_order', 'vis_areas', 'lvvis_crowd'])
def test_vis(name, tmp_path):
    content = case(name)
    (tmp_path / 'annotations.json').write_text(json.dumps(content['annotations']))
    dataset = reader(tmp_path, type='YTVISJsonDataset', ann_file='annotations.json')
    labels = {category: label for label, category in enumerate(dataset.metainfo['category_ids'])}
    videos = read_videos(dataset)
    for video in videos:
        video.tracks = [Track(number, labels[row['category_id']], row['score'], row['segmentations'], [None])
                        for number, row in enumerate(content['results'], 1) if row['video_id'] == video.video_id]
    assert_official(numbers_of(metric_of('vis_test', content['config']), videos, dataset.metainfo),
                    content['expected'])


# ---- MOSE ----
def write_object_map(path, masks, shape=SHAPE, void=None):
    """A palette PNG from {object number: RLE}."""
    index_map = np.zeros(shape, np.uint8)
    for number, rle in masks.items():
        index_map[decoded(rle, shape)] = int(number)
    if void is not None:
        index_map[decoded(void, shape)] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    palette_picture(index_map).save(path)


def write_pictures(folder, video, count, shape=SHAPE):
    (folder / video).mkdir(parents=True)
    for frame in range(count):
        Image.new('RGB', shape[::-1]).save(folder / video / f'{frame:05d}.jpg')


@pytest.mark.parametrize('name', ['last_frame', 'late_object', 'first_frame_only'])
def test_mose(name, tmp_path):
    content = case(f'mose_{name}')
    write_pictures(tmp_path / 'JPEGImages', content['video'], len(content['annotation']))
    for frame, masks in enumerate(content['annotation']):
        write_object_map(tmp_path / f'Annotations/{content["video"]}/{frame:05d}.png', masks)
    dataset = reader(tmp_path, type='PNGTreeDataset', data_prefix=dict(img='JPEGImages/', ann='Annotations/'))
    [video] = read_videos(dataset)
    numbers = {number: int(identity) for identity, number in video.info['object_numbers'].items()}
    found = sorted({int(number) for masks in content['results'] for number in masks})
    video.tracks = [Track(numbers[number], 0, 1.0, [masks.get(str(number)) for masks in content['results']],
                          [None] * len(video.frames)) for number in found]
    assert_official(numbers_of(metric_of('vos_test', 'mose_metric'), [video], dataset.metainfo), content['expected'])


# ---- Ref-DAVIS ----
def write_ref_davis(folder, content):
    """DAVIS's folder of one video and meta_expressions.json; sentence 4k + a is annotator a's about object k + 1."""
    name, maps = content['video'], content['annotation']
    write_pictures(folder / 'DAVIS/JPEGImages/480p', name, len(maps))
    for frame, masks in enumerate(maps):
        write_object_map(folder / f'DAVIS/Annotations_unsupervised/480p/{name}/{frame:05d}.png', masks,
                         void=content['void'][frame])
    expressions = {}
    for position in range(len(content['annotators'][0])):
        for annotator in range(4):
            expressions[str(4 * position + annotator)] = dict(exp=f'{annotator} says {position}',
                                                              obj_id=str(position + 1))
    (folder / 'meta_expressions.json').write_text(json.dumps(dict(videos={name: dict(
        expressions=expressions, frames=[f'{frame:05d}' for frame in range(len(maps))])})))


@pytest.mark.parametrize('name', ['overlap', 'void', 'more_objects'])
def test_ref_davis(name, tmp_path):
    """Sentences that overlap, pixels of no object, objects without a sentence."""
    content = case(f'ref_davis_{name}')
    write_ref_davis(tmp_path, content)
    dataset = reader(tmp_path, type='RefDavisDataset', ann_file='meta_expressions.json',
                     data_prefix=dict(img='DAVIS/JPEGImages/480p/'))
    videos = read_videos(dataset)
    for video, sentences in zip(videos, content['annotators'], strict=True):
        video.tracks = [Track(number + 1, number, 1.0, sentence['masks'], [None] * len(video.frames))
                        for number, sentence in enumerate(sentences)]
    assert_official(numbers_of(metric_of('rvos_test', 'ref_davis_metric'), videos, dataset.metainfo),
                    content['expected'])


@pytest.mark.parametrize('owner', ['threshold', 'product'])
def test_ref_davis_merge(owner):
    """From the probabilities of three sentences to one map, as the tracker of our config and as UNINEXT do it."""
    content = case('ref_davis_merge')
    tracker = MODELS.build(dict(type='ExpressionTracker', owner=owner))
    merge = ObjectMerge((2, 6), background=BACKGROUND[owner])
    for probability in torch.tensor(content['probabilities']):
        merge.add(tracker.claim(probability))
    owned = [[encode_mask(mask.numpy())] for mask in merge.masks()]
    masks = [[encode_mask(mask)] for mask in np.array(content['probabilities']) >= 0.5]
    video = VideoRecord({}, ('a', 'b', 'c'), [dict(ori_shape=[2, 6])], [
        Track(label + 1, label, 1.0, masks[label], [None], owned[label]) for label in range(3)])
    name = dict(threshold='referformer', product='uninext')[owner]
    assert sentence_map(video, 0).tolist() == content['expected'][name]
    for track in video.tracks:
        track.owned = []
    assert sentence_map(video, 0).tolist() == content['expected']['first_sentence_on_top']


# ---- COCO ----
def coco_metrics(config):
    """All metrics of COCO AP in a config, wherever they are."""
    if isinstance(config, dict):
        if config.get('type') in ('CocoMetric', 'CocoEvalMetric'):
            yield config
        config = list(config.values())
    for value in config if isinstance(config, (list, tuple)) else ():
        yield from coco_metrics(value)


def test_coco_with_more_than_100_detections_in_an_image(tmp_path):
    """AP50 and the rest count 100 of them, as AP does: the metrics of all our configs say so, each setting once.

    UVO's is of recall, and its AP alone is kept beside it; that of test-dev writes files only.
    """
    content = case('coco_many_detections')
    (tmp_path / 'annotations.json').write_text(json.dumps(content['annotations']))
    files = [path for path in CONFIGS.rglob('*.py') if "'Coco" in path.read_text()]
    every = [config for path in files for config in coco_metrics(Config.fromfile(path)._cfg_dict.to_dict())]
    metrics = list({
        json.dumps({key: value for key, value in config.items() if key not in ('ann_file', 'prefix')}): config
        for config in every if not config.get('format_only')}.values())
    assert {path.stem for path in files} >= {'image_sources', 'glee_mini_panoptic'} and len(metrics) >= 2
    rows = content['results']
    boxes = torch.tensor([[x, y, x + w, y + h] for x, y, w, h in (row['bbox'] for row in rows)])
    found = dict(bboxes=boxes, scores=torch.tensor([row['score'] for row in rows], dtype=torch.float64),
                 labels=torch.zeros(len(rows), dtype=torch.long))
    for config in metrics:
        metric = METRICS.build(dict(config, ann_file=str(tmp_path / 'annotations.json'), metric='bbox'))
        metric.dataset_meta = dict(classes=('object', ))
        metric.process({}, [dict(img_id=5, ori_shape=SHAPE, pred_instances=found)])
        numbers = {key.partition('/')[2]: value for key, value in metric.evaluate(1).items()}
        reported = [f'bbox_{item}' for item in config.get('metric_items') or ()] or list(content['expected'])
        for name, value in content['expected'].items():
            assert name not in reported or numbers.get(name, -1) == pytest.approx(value, abs=5e-4), name
