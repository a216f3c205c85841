"""No annotation file ends the process, hangs it or takes its memory: it is read, or refused by an error that names it.

The suite tries some hundred files. Twenty-one thousand:
    python -m pytest tests/test_datasets/test_hostile_rows.py --hypothesis-profile=fuzz
"""
import json
import pickle
import resource
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile_rows import HEIGHT, WIDTH, burst_files, coco_files, meta_files, scalabel_files, ytvis_files
from hypothesis import given
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from PIL import Image

from projects.glee.datasets.conversion import (
    convert_bdd_images,
    convert_bdd_tracks,
    convert_refer,
    convert_uvo,
    convert_videos,
    merge_refcoco,
)
from projects.glee.datasets.image import RefCocoJsonDataset, ReferDataset, TextCocoDataset
from projects.glee.datasets.video import (
    BURSTDataset,
    MetaExpressionsDataset,
    VideoDataset,
    VideoFramesDataset,
    YTVISJsonDataset,
)
from projects.glee.evaluation.functional.result_checks import ResultFileError, check_vis
from projects.glee.evaluation.functional.video_record import VideoRecord, frame_record
from projects.glee.evaluation.metrics import BDDTrackMetric, CocoEvalMetric, LVISEvalMetric, TETAMetric, VISMetric
from projects.glee.structures.track import Track

TRAINING = [
    dict(type='LoadImage', skip_unreadable=True), dict(type='LoadInstances'), dict(type='RandomFlip', prob=0.5),
    dict(type='PillowResize', scale=(32, 24), keep_ratio=True), dict(type='RasterizeMasks'), dict(type='FilterObjects'),
    dict(type='SetSource', source='coco'), dict(type='PackGLEEInputs')]
TEST = [
    dict(type='LoadImage'), dict(type='LoadInstances', keep_unmasked=True), dict(type='SetSource', source='coco'),
    dict(type='PackGLEEInputs')]


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    """Pictures that the files mean."""
    root = tmp_path_factory.mktemp('hostile')
    for name in ('a', 'b', 'v/0', 'v/1', 'v/2'):
        (root / name).parent.mkdir(exist_ok=True)
        Image.new('RGB', (WIDTH, HEIGHT), 'white').save(root / f'{name}.png')
    return root


@pytest.fixture(autouse=True, scope='module')
def _memory():
    """All examples together take less than 1 GB more than there was before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1e6  # kB


@contextmanager
def refused_by_name(*paths: Path):
    """A file may be refused, but then by an error that names it."""
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        assert any(path.name in str(error) for path in paths) and '\n' not in str(error), error


def check_object(box, mask=None):
    """What reaches the model is finite and fits."""
    assert np.isfinite(np.asarray(box, float)).all()
    assert mask is None or mask.dtype in (np.uint8, bool)


def predictions(count: int = 3) -> InstanceData:
    boxes = torch.tensor([[2., 2, 10, 8], [0, 0, 16, 12], [5, 5, 6, 6]])[:count]
    found = np.zeros((count, HEIGHT, WIDTH), bool)
    found[:, 2:8, 2:10] = True
    return InstanceData(bboxes=boxes, scores=torch.tensor([.9, .5, .1])[:count], labels=torch.tensor([0, 1, 0])[:count],
                        masks=torch.from_numpy(found))


@given(content=coco_files())
def test_coco_files_through_reader_transforms_and_metric(folder, content):
    path = folder / 'instances.json'
    path.write_text(json.dumps(content))
    options = dict(data_root=str(folder), ann_file=path.name, data_prefix=dict(img=''), max_refetch=1)
    for kwargs in (dict(pipeline=TRAINING, masks='required', filter_cfg=dict(filter_empty_gt=True)),
                   dict(pipeline=TEST, test_mode=True)):
        with refused_by_name(path):
            data = TextCocoDataset(**options, **kwargs)
            for index in range(len(data)):
                packed = data.pipeline(data.get_data_info(index))
                if packed is None:
                    continue
                objects = packed['data_samples'].gt_instances
                masks = objects.masks.masks if isinstance(objects.masks.masks, np.ndarray) else [None] * len(objects)
                for box, mask in zip(objects.bboxes.tensor.tolist(), masks):
                    check_object(box, mask)
    with refused_by_name(path):
        metric = CocoEvalMetric(str(path), metric=['bbox', 'segm'])
        evaluate_images(metric)
    with refused_by_name(path):
        convert_uvo(path, folder / 'uvo.json')
    update_rows(content, 'images', neg_category_ids=[2], not_exhaustive_category_ids=[])
    update_rows(content, 'categories', frequency='f')
    path.write_text(json.dumps(content))
    with refused_by_name(path):
        metric = LVISEvalMetric(str(path), metric=['bbox', 'segm'])
        evaluate_images(metric)


def update_rows(content: dict, key: str, **values) -> None:
    """Give the rows of a list, if it is one, further keys."""
    for row in content.get(key) if isinstance(content.get(key), list) else ():
        if isinstance(row, dict):
            row.update(values)


def evaluate_images(metric, classes: tuple = ('star', 'ring')) -> None:
    """Score detections in the pictures that the file has."""
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(classes=classes)
    images = {image['id'] for image in metric.truth.content['images']}
    known = [image for image in (1, 2) if image in images]
    for image in known:
        evaluator.process([DetDataSample(metainfo=dict(img_id=image, ori_shape=(HEIGHT, WIDTH)),
                                         pred_instances=predictions())])
    if known:
        for name, value in evaluator.evaluate(len(known)).items():
            assert -1 <= value <= 1, name


@given(content=coco_files())
def test_files_of_expressions(folder, content):
    update_rows(content, 'images', expressions=[' ', 'the left one', None])
    path, refs = folder / 'refcoco.json', folder / 'refs(x).p'
    update_rows(content, 'images', original_id=42)
    path.write_text(json.dumps(content))
    with refused_by_name(path):
        merge_refcoco([path], [path], folder / 'mixed.json')
    refs.write_bytes(pickle.dumps([dict(ref_id=n, ann_id=n, image_id=n % 2 + 1, split='val', sentences=[dict(raw='a')])
                                   for n in range(6)]))
    for test_mode in (False, True):
        options = dict(data_root=str(folder), ann_file=path.name, pipeline=[], test_mode=test_mode)
        for build in (lambda: RefCocoJsonDataset(**options, data_prefix=dict(img='')),
                      lambda: ReferDataset(**options, split_file=refs.name, split='val', serialize_data=False,
                                           data_prefix=dict(img_path=''))):
            with refused_by_name(path):
                data = build()
                for index in range(len(data)):
                    for instance in data.get_data_info(index)['instances']:
                        check_object(instance['bbox'])
    with refused_by_name(path, refs):
        convert_refer(refs, path, folder / 'refer', 'refcoco')


@given(content=ytvis_files())
def test_ytvis_files_through_readers_converter_and_metric(folder, content):
    path = folder / 'videos.json'
    path.write_text(json.dumps(content))
    options = dict(data_root=f'{folder}/', ann_file=path.name, data_prefix=dict(img=''))
    with refused_by_name(path):
        frames = VideoFramesDataset(**options, pipeline=TRAINING, masks='required')
        for index in range(len(frames)):
            frames.pipeline(frames.get_data_info(index))
    for test_mode in (False, True):
        with refused_by_name(path):
            clips = YTVISJsonDataset(**options, pipeline=[], test_mode=test_mode, serialize_data=False)
            for index in range(len(clips)):
                score_video(clips, clips.get_data_info(index))
    with refused_by_name(path, folder / 'frames.json'):
        convert_videos(path, folder / 'frames.json')
        frames = TextCocoDataset(data_root=str(folder), ann_file='frames.json', data_prefix=dict(img=''), pipeline=[],
                                 check_files=False)
        for index in range(len(frames)):
            for instance in frames.get_data_info(index)['instances']:
                check_object(instance['bbox'])
    shutil.rmtree(folder / 'frames.json.parts', ignore_errors=True)


def score_video(clips: VideoDataset, record: dict) -> None:
    """VIS AP and BDD100K's numbers of a video with its own objects as predictions."""
    samples = []
    for frame in clips.frames_of(record, range(record['video_length'])):
        samples.append(frame_record(DetDataSample(metainfo=dict(frame, ori_shape=(frame['height'], frame['width'])))))
    video = VideoRecord(dict(record['video_info'], video_id=record['video_id']), clips.metainfo['classes'], samples, [])
    video.tracks = [Track(t.instance_id, t.label, 0.5, t.segmentations, t.bboxes) for t in video.truth()
                    if any(t.segmentations)]
    for metric in (VISMetric(), BDDTrackMetric('bbox'), TETAMetric()):
        metric.dataset_meta = clips.metainfo
        for name, value in metric.summarise([metric.score_video(video)]).items():
            assert value is None or -1 <= value <= 1, name


@given(content=ytvis_files())
def test_result_files_of_videos(folder, content):
    """The checker says what is wrong with a result file; a row of it is like one of an annotation file."""
    truth = folder / 'truth.json'
    truth.write_text(json.dumps(dict(
        videos=[dict(id=1, width=WIDTH, height=HEIGHT, file_names=['v/0.png', 'v/1.png', 'v/2.png'])],
        categories=[dict(id=1, name='star'), dict(id=2, name='ring')])))
    path = folder / 'results.json'
    path.write_text(json.dumps(content.get('annotations')))
    try:
        check_vis(str(path), str(truth))
    except ResultFileError as error:
        assert 'results.json' in str(error)


@given(content=burst_files())
def test_files_of_burst(folder, content):
    path = folder / 'burst.json'
    path.write_text(json.dumps(content))
    with refused_by_name(path):
        data = BURSTDataset(data_root=f'{folder}/', ann_file=path.name, data_prefix=dict(img=''), pipeline=[],
                            test_mode=True, serialize_data=False)
        for index in range(len(data)):
            score_video(data, data.get_data_info(index))


@given(contents=meta_files())
def test_files_of_expressions_about_videos(folder, contents):
    for name, content in zip(('meta.json', 'masks.json'), contents):
        (folder / name).write_text(json.dumps(content))
    with refused_by_name(folder / 'meta.json', folder / 'masks.json'):
        data = MetaExpressionsDataset(data_root=f'{folder}/', ann_file='meta.json', mask_file='masks.json', pipeline=[],
                                      data_prefix=dict(img=''), test_mode=True, serialize_data=False)
        for index in range(len(data)):
            score_video(data, data.get_data_info(index))


def read_and_score(folder: Path, name: str, content: dict) -> None:
    """What converters wrote is read and scored; of boxes that lie outside of their picture a reader says so."""
    options = dict(data_root=f'{folder}/', ann_file=name, data_prefix=dict(img=''), pipeline=[], test_mode=True)
    if 'images' in content and content['images']:
        data = TextCocoDataset(**options)
        assert sum(len(data.get_data_info(i)['instances']) for i in range(len(data))) <= len(content['annotations'])
        assert len(data) == len(content['images'])
        evaluate_images(CocoEvalMetric(str(folder / name)), data.metainfo['classes'])
    elif content.get('videos'):
        clips = YTVISJsonDataset(**options, serialize_data=False)
        for index in range(len(clips)):
            score_video(clips, clips.get_data_info(index))


@given(content=scalabel_files())
def test_scalabel_files_through_the_converters(folder, content):
    path = folder / 'labels.json'
    path.write_text(json.dumps(content))
    for number, (convert, masks) in enumerate(((convert_bdd_images, False), (convert_bdd_images, True),
                                               (convert_bdd_tracks, False), (convert_bdd_tracks, True))):
        out = folder / f'bdd_{number}.json'
        with refused_by_name(path):
            convert(path, out, masks=masks)
            written = json.loads(out.read_text(), parse_constant=pytest.fail)  # neither NaN nor Infinity is JSON
            read_and_score(folder, out.name, written)
        shutil.rmtree(folder / f'{out.name}.parts', ignore_errors=True)
