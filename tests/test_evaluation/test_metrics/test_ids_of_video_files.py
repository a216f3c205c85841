"""Perfect tracks and segments score 1, whatever the ids of videos, tracks and segments are like."""
import codecs
import copy
import json

import numpy as np
import pytest
import torch
from id_files import LONG, SIZE, of_all, polygon, tracks, without, write
from logs import captured_log
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from PIL import Image

from projects.glee.datasets.conversion import convert_videos
from projects.glee.datasets.video import BURSTDataset, VideoFramesDataset, YTVISJsonDataset
from projects.glee.evaluation.functional.video_record import VideoRecord, frame_record
from projects.glee.evaluation.metrics import (
    BDDTrackMetric,
    BURSTMetric,
    PanopticMetric,
    TETAMetric,
    VISMetric,
)
from projects.glee.structures.masks import to_rle
from projects.glee.structures.panoptic_ids import id2rgb
from projects.glee.structures.track import Track


def rename_videos(content, videos=None, categories=None):
    for key, reference, names in (('videos', 'video_id', videos), ('categories', 'category_id', categories)):
        for row in content[key] if names else ():
            row['id'] = names[row['id']]
        for row in content['annotations'] if names else ():
            row[reference] = names[row[reference]]


TRACK_CHANGES = {
    'as it should be': lambda c: None,
    'counted in each video': lambda c: [row.update(id=number) for row, number in zip(c['annotations'], (1, 2, 1, 2))],
    'track ids 0': of_all(id=0),
    'no track ids': without('annotations', 'id'),
    'track ids of text': lambda c: [row.update(id='ab'[row['id'] % 2]) for row in c['annotations']],
    'track ids beyond 64 bits': lambda c: [row.update(id=LONG + row['id']) for row in c['annotations']],
    'video ids of text': lambda c: rename_videos(c, {1: 'x', 2: 'y'}),
    'video ids of both kinds': lambda c: rename_videos(c, {1: 'x', 2: 0}),
    'video ids beyond 64 bits': lambda c: rename_videos(c, {1: LONG + 1, 2: LONG}),
    'references of text': lambda c: [row.update(video_id=str(row['video_id']), category_id=str(row['category_id']))
                                     for row in c['annotations']],
    'category ids of text': lambda c: rename_videos(c, categories={1: 'z', 2: 'a'}),
    'category ids beyond 64 bits': lambda c: rename_videos(c, categories={1: LONG, 2: 7}),
    'category names that are numbers': lambda c: [row.update(name=row['id']) for row in c['categories']],
    'no areas, no iscrowd, no length': lambda c: [without('annotations', 'areas', 'iscrowd')(c),
                                                  without('videos', 'length')(c)],
}


def score_videos(data, metric, field='segmentations'):
    """The numbers of a metric for tracks that are what a reader read."""
    metric.dataset_meta, parts = data.metainfo, []
    for index in range(len(data)):
        record, frames = data.get_data_info(index), []
        for frame in data.frames_of(record, range(record['video_length'])):
            frames.append(frame_record(DetDataSample(metainfo=dict(frame, ori_shape=SIZE))))
        video = VideoRecord(dict(record['video_info'], video_id=record['video_id']), data.metainfo['classes'], frames,
                            [])
        video.tracks = [Track(n, t.label, 0.9 - n / 10, t.segmentations, t.bboxes)
                        for n, t in enumerate(video.truth(), 1)]
        parts.append(metric.score_video(video) if metric.is_scored(video) else None)
    return {name: value for name, value in metric._summarise_scored(parts).items() if value is not None}


@pytest.mark.parametrize('change', TRACK_CHANGES)
def test_perfect_tracks_score_one(tmp_path, change):
    content = tracks()
    TRACK_CHANGES[change](content)
    write(tmp_path / 'a.json', content, codecs.BOM_UTF8)
    data = YTVISJsonDataset(data_root=f'{tmp_path}/', ann_file='a.json', data_prefix=dict(img=''), pipeline=[],
                            test_mode=True, serialize_data=False)
    for metric in (VISMetric(), TETAMetric(), BDDTrackMetric('bbox'), BDDTrackMetric('segm')):
        numbers = score_videos(data, metric)
        assert len(numbers) > 2 and all(value == pytest.approx(1) for value in numbers.values())
    ids = [o['instance_id'] for i in range(2) for frame in data.get_data_info(i)['images'] for o in frame['instances']]
    assert set(ids) == {1, 2, 3, 4}
    frames = VideoFramesDataset(data_root=f'{tmp_path}/', ann_file='a.json', data_prefix=dict(img=''), pipeline=[],
                                test_mode=True)
    per_frame = [[o['instance_id'] for o in frames.get_data_info(i)['instances']] for i in range(4)]
    assert [len(ids) for ids in per_frame] == [2, 1, 2, 1] and len({i for ids in per_frame for i in ids}) == 4
    convert_videos(tmp_path / 'a.json', tmp_path / 'frames.json')
    rows = json.loads((tmp_path / 'frames.json').read_text())['annotations']
    assert len(rows) == 6 and len({row['instance_id'] for row in rows}) == 4


def test_masks_of_a_file_of_boxes_are_not_scored(tmp_path):
    content = tracks()
    for row in content['annotations']:
        row.pop('segmentations')
    write(tmp_path / 'a.json', content)
    data = YTVISJsonDataset(data_root=f'{tmp_path}/', ann_file='a.json', data_prefix=dict(img=''), pipeline=[],
                            test_mode=True, serialize_data=False)
    with captured_log() as messages:
        assert score_videos(data, VISMetric()) == {}
    assert any('2 of 2 videos have no annotations of this kind' in message for message in messages)
    assert score_videos(data, BDDTrackMetric('bbox'))['mMOTA'] == 1


def test_videos_of_one_id_are_refused(tmp_path):
    content = tracks()
    content['videos'][1]['id'] = 1
    path = write(tmp_path / 'a.json', content)
    options = dict(data_root=f'{tmp_path}/', ann_file='a.json', data_prefix=dict(img=''), pipeline=[])
    for open_it in (lambda: YTVISJsonDataset(**options), lambda: VideoFramesDataset(**options),
                    lambda: convert_videos(path, tmp_path / 'o.json')):
        with pytest.raises(ValueError, match='a.json: row 0 of `videos`, id 1 and row 1 of `videos`, id 1 are diff'):
            open_it()


def tao_files(folder, change=lambda rows: None):
    """TAO's two files; tracks of its own are counted in each video."""
    content = tracks()
    for video in content['videos']:
        video['image_ids'] = [10 * video['id'], 10 * video['id'] + 1]
    rows = [dict(id=number, video_id=row['video_id'], image_id=10 * row['video_id'] + frame,
                 track_id=row['id'] % 2, category_id=row['category_id'], bbox=box)
            for number, (row, frame, box) in enumerate((row, frame, box) for row in content['annotations']
                                                       for frame, box in enumerate(row['bboxes']) if box)]
    change(rows)
    write(folder / 'eval.json', dict(
        videos=[dict(id=1, neg_category_ids=['2', 5], not_exhaustive_category_ids=None), dict(id=2)], annotations=rows,
        categories=[dict(row, merged=[]) for row in content['categories']]), codecs.BOM_UTF8)
    write(folder / 'a.json', content)
    return YTVISJsonDataset(data_root=f'{folder}/', ann_file='a.json', eval_file='eval.json', data_prefix=dict(img=''),
                            pipeline=[], test_mode=True, serialize_data=False)


@pytest.mark.parametrize('change', [
    lambda rows: None, lambda rows: [row.update(track_id=LONG + row['track_id']) for row in rows],
    lambda rows: [row.update(track_id=f't{row["track_id"]}', id=0) for row in rows],
    lambda rows: [row.update(video_id=str(row['video_id']), image_id=str(row['image_id'])) for row in rows]],
    ids=['counted in each video', 'beyond 64 bits', 'text', 'references of text'])
def test_perfect_boxes_of_tao_score_one(tmp_path, change):
    data = tao_files(tmp_path, change)
    assert all(value == pytest.approx(1) for value in score_videos(data, TETAMetric()).values())
    assert data.get_data_info(0)['video_info']['neg_category_ids'] == [2]  # as the file spells it; it has no 5
    identities = [{o['instance_id'] for frame in data.get_data_info(i)['images'] for o in frame['instances']}
                  for i in range(2)]
    assert not identities[0] & identities[1]


def test_boxes_of_tao_that_contradict_each_other_are_counted(tmp_path):
    def change(rows):
        rows.append(dict(rows[0]))
        rows[1]['category_id'] = 2

    with captured_log() as messages:
        tao_files(tmp_path, change)
    summary, = [m for m in messages if 'eval.json: 2 unusable rows' in m]
    assert 'track of two categories: 1 (first: row 1 of `annotations`' in summary
    assert 'track that is twice in one image: 1 (first: row 6 of `annotations`' in summary


@pytest.mark.parametrize('change', [
    lambda c: None, lambda c: [row.update(id=7) for row in c['sequences']], lambda c: [row.pop('id')
                                                                                       for row in c['sequences']],
    lambda c: [row.update(neg_category_ids=None) for row in c['sequences']],
    lambda c: [row.update(track_category_ids={k: str(v) for k, v in row['track_category_ids'].items()})
               for row in c['sequences']]],
    ids=['as it should be', 'one id', 'no ids', 'lists null', 'text'])
def test_perfect_masks_of_burst_score_one(tmp_path, change):
    rle = to_rle(polygon(2, 3, 20, 15), *SIZE)['counts']
    content = dict(categories=[dict(id=1, name='star'), dict(id=95, name='ring')], sequences=[dict(
        id=number, dataset='d', seq_name=f's{number}', width=SIZE[1], height=SIZE[0],
        annotated_image_paths=['0.png', '1.png'], neg_category_ids=[95], not_exhaustive_category_ids=[],
        track_category_ids={'1': 1}, segmentations=[{'1': dict(rle=rle)}, {}]) for number in range(2)])
    change(content)
    write(tmp_path / 'a.json', content, codecs.BOM_UTF8)
    data = BURSTDataset(data_root=f'{tmp_path}/', ann_file='a.json', data_prefix=dict(img=''), pipeline=[],
                        test_mode=True, serialize_data=False)
    assert len(data) == 2 and len({data.get_data_info(i)['video_id'] for i in range(2)}) == 2
    numbers = score_videos(data, BURSTMetric(common=[1], distractors=()))
    assert numbers['HOTA_common'] == numbers['mAP_common'] == 1


# ---- panoptic ----
PANOPTIC_CHANGES = {
    'as it should be': lambda c: None,
    'image ids of text': lambda c: [c['images'][0].update(id='x'), c['annotations'][0].update(image_id='x')],
    'image ids beyond 64 bits': lambda c: [c['images'][0].update(id=LONG), c['annotations'][0].update(image_id=LONG)],
    'no area, iscrowd, file_name': lambda c: [c['annotations'][0].pop('file_name'), *(
        segment.pop(key) for segment in c['annotations'][0]['segments_info'] for key in ('area', 'iscrowd'))],
    'segment ids of text': lambda c: [s.update(id=str(s['id'])) for s in c['annotations'][0]['segments_info']],
    'flags of text': lambda c: [row.update(isthing=str(row['isthing'])) for row in c['categories']],
    'names that are numbers': lambda c: [row.update(name=row['id']) for row in c['categories']],
    'no images': lambda c: c.pop('images'),
}


@pytest.mark.parametrize('change', PANOPTIC_CHANGES)
def test_perfect_segments_score_one(tmp_path, change):
    ids = np.full(SIZE, 3)
    ids[3:18, 2:22] = 7
    Image.fromarray(id2rgb(ids)).save(tmp_path / 'a.png')
    content = dict(
        images=[dict(id=1, file_name='a.jpg', height=SIZE[0], width=SIZE[1])],
        annotations=[dict(image_id=1, file_name='a.png', segments_info=[
            dict(id=number, category_id=category, area=int((ids == number).sum()), iscrowd=0)
            for number, category in ((7, 5), (3, 0))])],
        categories=[dict(id=5, name='star', isthing=1), dict(id=0, name='sky', isthing=0)])
    PANOPTIC_CHANGES[change](content)
    metric = PanopticMetric(str(write(tmp_path / 'a.json', content, codecs.BOM_UTF8)), str(tmp_path))
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(classes=tuple(str(row['name']) for row in content['categories']))
    found = torch.from_numpy(np.where(ids == 7, 1000, 1))[None]
    evaluator.process([DetDataSample(metainfo=dict(img_id=copy.copy(content['annotations'][0]['image_id'])),
                                     pred_panoptic_seg=PixelData(sem_seg=found))])
    numbers = evaluator.evaluate(1)
    assert {numbers[f'coco_panoptic/{name}'] for name in ('PQ', 'PQ_th', 'PQ_st')} == {100}


def test_panoptic_files_that_contradict_themselves_are_refused(tmp_path):
    content = dict(annotations=[dict(image_id=1, file_name='a.png', segments_info=[
        dict(id=1, category_id=5, area=9), dict(id=1, category_id=0, area=9)])],
        categories=[dict(id=5, name='star', isthing=1), dict(id=0, name='sky', isthing=0)])
    with pytest.raises(ValueError, match='a.json: row 0 of `annotations`, segment 1 has the id 1 of another segment'):
        PanopticMetric(str(write(tmp_path / 'a.json', content)), str(tmp_path))
    content['annotations'][0]['segments_info'].pop()
    content['annotations'].append(dict(content['annotations'][0], file_name='b.png'))
    with pytest.raises(ValueError, match='a.json: row 0 of `annotations` and row 1 of `annotations` are different'):
        PanopticMetric(str(write(tmp_path / 'a.json', content)), str(tmp_path))
    del content['categories'][0]['isthing']
    with pytest.raises(ValueError, match=r'a.json: row 0 of `categories` \(id 5\) has no isthing'):
        PanopticMetric(str(write(tmp_path / 'a.json', content)), str(tmp_path))
