"""Readers of videos, on tiny files in the real formats."""
import json

import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from image_files import write_json
from logs import captured_log
from mmdet.evaluation import YouTubeVISMetric
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from PIL import Image
from rle import rle
from video_files import H, W, mevis, png_tree, square, ytvis, ytvis_content, ytvis_track

from projects.glee.datasets import load_vocabulary
from projects.glee.datasets.video import BURSTDataset, ExpressionVideosDataset, FrameWindow, YTVISJsonDataset
from projects.glee.structures import palette_picture


def test_ytvis_identities_are_unique_and_start_at_1(tmp_path):
    """File ids 0, 1, 0 become 1, 2, 3; boxes are xyxy; crowds are marked; absent frames hold nothing."""
    dataset = ytvis(tmp_path, ytvis_content())
    assert dataset.metainfo['classes'] == ('star', 'ring') and dataset.metainfo['category_ids'] == (9, 5)
    assert dataset.metainfo['partition'] == (0, 3) and dataset.metainfo['merged_labels'] == (0, 0)
    first, second = dataset.get_data_info(0), dataset.get_data_info(1)
    assert [[o['instance_id'] for o in frame['instances']] for frame in first['images']] == [[1], [2], [1, 2]]
    assert [[o['instance_id'] for o in frame['instances']] for frame in second['images']] == [[3], [3], [3]]
    instance = first['images'][2]['instances'][0]
    assert instance['bbox'] == [4, 2, 12, 10] and instance['bbox_label'] == 0 and not instance['ignore_flag']
    assert np.array_equal(mask_utils.decode(instance['mask']), square(4, 2))
    assert first['images'][2]['instances'][1]['ignore_flag'] == 1
    assert [o['is_first'] for frame in first['images'] for o in frame['instances']] == [True, True, False, False]
    assert first['images'][1]['img_path'] == f'{tmp_path}/frames/v4/1.jpg'
    assert (first['video_id'], first['video_length'], first['width'], first['height']) == (4, 3, W, H)
    assert first['video_info']['name'] == 'v4'


def test_ytvis_windows_carry_text_and_position(tmp_path):
    """A window's frames know the video; an index gives the whole video."""
    dataset = ytvis(tmp_path, ytvis_content())
    window = dataset[FrameWindow(1, 1, 3)]['frames']
    assert [frame['frame_id'] for frame in window] == [1, 2]
    assert all(frame['text'] == ('star', 'ring') and frame['video_id'] == 7 and frame['ori_video_length'] == 3
               for frame in window)
    assert len(dataset[0]['frames']) == 3
    assert ytvis(tmp_path, ytvis_content(), text=('object', 'object'))[0]['frames'][0]['text'] == ('object', 'object')


def test_tao_ids_and_federation_come_from_the_eval_file(tmp_path):
    """image_ids become img_id; negative categories are taken by video id; boxes alone are objects."""
    content = ytvis_content(image_ids=[71, 72, 73])
    for track in content['annotations']:
        del track['segmentations']
    write_json(tmp_path / 'eval.json', dict(videos=[
        dict(id=4, name='val/a', neg_category_ids=[5], not_exhaustive_category_ids=[]),
        dict(id=7, name='val/b', neg_category_ids=[], not_exhaustive_category_ids=[9])]))
    record = ytvis(tmp_path, content, eval_file='eval.json').get_data_info(1)
    assert [frame['img_id'] for frame in record['images']] == [71, 72, 73]
    assert record['video_info']['not_exhaustive_category_ids'] == [9] and record['video_info']['name'] == 'val/b'
    assert record['images'][0]['instances'][0]['bbox'] == [1, 1, 9, 9]
    assert 'mask' not in record['images'][0]['instances'][0]


def test_tao_objects_are_the_rows_of_the_eval_file(tmp_path):
    """In its order, also where the file in the YouTube-VIS layout has another; rows that do not fit are counted."""
    content = ytvis_content()
    for video in content['videos']:
        video['image_ids'] = [10 * video['id'] + frame for frame in range(3)]
    rows = [dict(id=number, image_id=image, video_id=video, track_id=track, category_id=category, bbox=[1, 2, 3, 4])
            for number, (image, video, track, category) in enumerate([
                (71, 7, 50, 5), (41, 4, 31, 9), (41, 4, 30, 5), (42, 4, 30, 5), (43, 4, 30, 5), (40, 4, 30, 77),
                (990, 99, 1, 5)])]
    write_json(tmp_path / 'eval.json', dict(videos=[dict(id=4, name='val/a'), dict(id=7, name='val/b')],
                                            annotations=rows))
    with captured_log() as messages:
        dataset = ytvis(tmp_path, content, eval_file='eval.json')
    records = [dataset.get_data_info(0), dataset.get_data_info(1)]
    seen = [[[(o['instance_id'], o['bbox_label']) for o in frame['instances']] for frame in record['images']]
            for record in records]
    assert seen == [[[], [(2, 0), (3, 1)], [(3, 1)]], [[], [(1, 1)], []]]
    assert records[0]['images'][1]['instances'][0]['bbox'] == [1, 2, 4, 6]
    assert all(frame['annotated'] for record in records for frame in record['images'])
    summary, = [message for message in messages if 'unusable' in message]
    assert "not among its video's image_ids: 1 (first: row 4" in summary
    assert 'unknown category: 1 (first: row 5' in summary


def test_sizes_of_objects_are_those_of_the_file(tmp_path):
    """The mean of the areas that are not 0 or null, in whole pixels; a broken one is counted."""
    content = ytvis_content()
    content['annotations'][0]['areas'] = [10.9, None, 0]
    content['annotations'][1]['areas'] = [None, 'x', 30]
    del content['annotations'][2]['areas']
    with captured_log() as messages:
        dataset = ytvis(tmp_path, content)
    assert dataset.get_data_info(0)['video_info']['object_areas'] == {'1': 10, '2': 30}
    assert dataset.get_data_info(1)['video_info']['object_areas'] == {}
    assert any('area that is no number: 1 (first: row 1 of `annotations`, id 1' in message for message in messages)


def test_ytvis_without_annotations_and_errors(tmp_path):
    """Hidden annotations read as none; wrong lengths and unknown videos are counted; empty videos are dropped."""
    hidden = ytvis_content()
    hidden['annotations'] = None
    assert all(not frame['instances'] for frame in ytvis(tmp_path, hidden).get_data_info(0)['images'])
    short = ytvis_content()
    short['annotations'][0]['bboxes'].pop()
    with captured_log() as messages:
        record = ytvis(tmp_path, short).get_data_info(0)
    summary, = [m for m in messages if 'ann.json: 1 unusable' in m]
    assert 'track shorter than its video: 1 (first: row 0 of `annotations`, id 0)' in summary
    assert [[o['instance_id'] for o in frame['instances']] for frame in record['images']] == [[], [2], [2]]
    stray = ytvis_content()
    stray['annotations'][0]['video_id'] = 99
    with captured_log() as messages:
        record = ytvis(tmp_path, stray).get_data_info(0)
    assert any('annotation of an unknown video: 1 (first: row 0 of `annotations`, id 0)' in m for m in messages)
    assert [[o['instance_id'] for o in frame['instances']] for frame in record['images']] == [[], [2], [2]]
    with pytest.raises(ValueError, match='categories'):
        ytvis(tmp_path, dict(ytvis_content(), categories=[]))
    lonely = ytvis_content()
    lonely['annotations'] = lonely['annotations'][2:]
    train = ytvis(tmp_path, lonely, test_mode=False, filter_cfg=dict(filter_empty_gt=True))
    assert len(train) == 1 and train.get_data_info(0)['video_id'] == 7


def test_expressions_of_a_video_are_grouped(tmp_path):
    """Entries per sentence become one item; an object that two sentences mean appears once."""
    videos, annotations = [], []
    for number, (obj, sentence) in enumerate([(1, 'the star'), (2, 'the ring'), (1, 'the left one')], 1):
        videos.append(dict(id=number, video='clip', height=H, width=W, file_names=['clip/0.jpg', 'clip/1.jpg'],
                           expressions=[sentence], exp_id=str(number - 1), obj_id=obj))
        annotations.append(ytvis_track(number, number, 1, [(4 * obj, 0), (4 * obj, 1)]))
    for name in ('a.json', 'b.json'):
        write_json(tmp_path / name, dict(videos=videos, annotations=annotations,
                                         categories=[dict(id=1, name='object')]))
    dataset = ExpressionVideosDataset(data_root=f'{tmp_path}/', ann_files=['a.json', 'b.json'], pipeline=[],
                                      data_prefix=dict(img='x/'), test_mode=True)
    assert len(dataset) == 2
    first, second = dataset.get_data_info(0), dataset.get_data_info(1)
    assert first['text'] == ('the star', 'the ring', 'the left one')
    assert [e['object_ids'] for e in first['video_info']['expressions']] == [[1], [2], [1]]
    assert [[o['instance_id'] for o in frame['instances']] for frame in first['images']] == [[1, 2], [1, 2]]
    assert [e['object_ids'] for e in second['video_info']['expressions']] == [[3], [4], [3]]
    assert (first['video_info']['annotator'], second['video_info']['annotator']) == (0, 1)
    assert dataset[1]['frames'][0]['text'] == first['text']


def test_meta_expressions_read_masks_by_annotation(tmp_path):
    """Several objects per sentence, null masks, boxes of masks; missing annotations are named."""
    masks = {'0': [rle(square(0, 0)), None], '1': [None, rle(square(5, 6))]}
    record = mevis(tmp_path, masks).get_data_info(0)
    assert record['text'] == ('both', 'one') and (record['height'], record['width']) == (H, W)
    assert [e['object_ids'] for e in record['video_info']['expressions']] == [[1, 2], [2]]
    assert record['images'][1]['instances'][0]['bbox'] == [5, 6, 13, 14]
    assert record['images'][0]['img_path'] == f'{tmp_path}/frames/clip/00000.jpg'
    with pytest.raises(ValueError, match=r"lacks anno_id \['1'\] of video clip"):
        mevis(tmp_path, {'0': masks['0']})
    with pytest.raises(ValueError, match='anno_id 0 has 1 masks'):
        mevis(tmp_path, {**masks, '0': masks['0'][:1]})


def test_png_tree_identities_first_frames_and_void(tmp_path):
    """Identities are unique over videos; objects know where they appear; 255 is void."""
    write_json(tmp_path / 'meta.json', dict(videos=dict(b=dict(objects={'1': dict(category='x'),
                                                                       '2': dict(category='y')}))))
    dataset = png_tree(tmp_path, meta_file='meta.json', unseen_categories=['y'])
    first, second = dataset[0]['frames'], dataset[1]['frames']
    assert [o['instance_id'] for o in first[0]['instances']] == [1]
    assert [frame['annotated'] for frame in second] == [True, False, True]
    assert [[(o['instance_id'], o['is_first']) for o in frame['instances']] for frame in second] == [
        [(256, True)], [], [(256, False), (257, True)]]
    assert np.array_equal(mask_utils.decode(second[2]['instances'][1]['mask']), square(20, 10))
    assert second[0]['video_info']['unseen'] == [257] and second[0]['text'] == ('object', )
    assert second[0]['video_info']['object_numbers']['257'] == 2
    assert 'void' not in second[0]
    path = tmp_path / 'ann/a/00000.png'
    palette_picture(np.where(square(0, 0) > 0, 255, 0).astype(np.uint8)).save(path)
    frame = dataset[0]['frames'][0]
    assert frame['instances'] == [] and np.array_equal(mask_utils.decode(frame['void']), square(0, 0))
    Image.new('RGB', (W, H)).save(path)
    with pytest.raises(ValueError, match='RGB picture'):
        dataset[0]


def test_png_tree_split_file(tmp_path):
    """Only the listed videos."""
    png_tree(tmp_path)
    (tmp_path / 'val.txt').write_text('b\n')
    dataset = png_tree(tmp_path, split_file='val.txt')
    assert [dataset.get_data_info(i)['video_info']['name'] for i in range(len(dataset))] == ['b']


def test_burst_reads_its_own_format(tmp_path):
    """Counts become masks; track numbers become identities that are unique over sequences."""
    def sequence(number, tracks):
        return dict(id=number, dataset='D', seq_name=f's{number}', height=H, width=W, fps=1, neg_category_ids=[9],
                    not_exhaustive_category_ids=[], annotated_image_paths=['f1.jpg', 'f4.jpg'],
                    track_category_ids={str(t): 5 for t in tracks},
                    segmentations=[{str(tracks[0]): dict(rle=rle(square(3, 3))['counts'], is_gt=True)}, {}])
    write_json(tmp_path / 'b.json', dict(sequences=[sequence(1, [1, 2]), sequence(2, [1])],
                                         categories=[dict(id=9, name='star'), dict(id=5, name='ring')]))
    dataset = BURSTDataset(data_root=str(tmp_path), ann_file='b.json', data_prefix=dict(img='f/'), pipeline=[],
                           test_mode=True)
    first, second = dataset.get_data_info(0), dataset.get_data_info(1)
    assert [o['instance_id'] for o in first['images'][0]['instances']] == [1]
    assert [o['instance_id'] for o in second['images'][0]['instances']] == [3]
    assert first['images'][0]['instances'][0]['bbox'] == [3, 3, 11, 11]
    assert first['images'][0]['instances'][0]['bbox_label'] == 1 and first['images'][1]['instances'] == []
    assert first['images'][1]['img_path'] == f'{tmp_path}/f/D/s1/f4.jpg'
    assert first['video_info']['neg_category_ids'] == [9]


def test_json_survives(tmp_path):
    """``video_info`` is plain data."""
    json.dumps(ytvis(tmp_path, ytvis_content(neg_category_ids=[5])).get_data_info(0)['video_info'])
    json.dumps(png_tree(tmp_path).get_data_info(0)['video_info'])


def test_identities_suit_the_stock_metric(tmp_path):
    """mmdet's YouTubeVISMetric gives a perfect prediction 1; it would not with ids from 0 or repeated ones."""
    content = ytvis_content()
    content['annotations'][1]['iscrowd'] = 0
    dataset = ytvis(tmp_path, content, pipeline=[])
    metric = YouTubeVISMetric()
    metric.dataset_meta = dataset.metainfo
    for index in range(2):
        clip, samples = TrackDataSample(), []
        for frame in dataset[index]['frames']:
            found = frame['instances']
            samples.append(DetDataSample(metainfo=dict(frame, ori_shape=(H, W))))
            masks = [mask_utils.decode(o['mask']).astype(bool) for o in found]
            samples[-1].pred_track_instances = InstanceData(
                bboxes=torch.tensor([o['bbox'] for o in found]).reshape(-1, 4), scores=torch.ones(len(found)),
                labels=torch.tensor([o['bbox_label'] for o in found]),
                masks=torch.from_numpy(np.array(masks).reshape(-1, H, W)),
                instances_id=torch.tensor([o['instance_id'] for o in found]))
        clip.video_data_samples = samples
        metric.process({}, [clip.to_dict()])
    assert metric.evaluate(2)['youtube_vis/segm_mAP'] == 1.0


def test_names_of_uvo_are_spelt_as_released_and_keep_their_labels(tmp_path):
    """COCO's names in another order than the vocabulary's get ', object'; what it lacks stays; labels do not move."""
    content, names = ytvis_content(), ['tv', 'object', 'crescent', 'person', 'traffic light']
    content['categories'] = [dict(id=10 * number + 5, name=name) for number, name in enumerate(names)]
    content['annotations'] = [ytvis_track(number, 4, 10 * number + 5, [(0, 0), None, None])
                              for number in range(len(names))]
    dataset = ytvis(tmp_path, content, vocabulary='uvo_video')
    frame = dataset[0]['frames'][0]
    assert frame['text'] == ('tv, object', 'object', 'crescent', 'person, object', 'traffic light, object')
    assert [frame['text'][obj['bbox_label']].removesuffix(', object') for obj in frame['instances']] == names
    assert dataset.metainfo['classes'] == tuple(names)
    released = load_vocabulary('uvo_video')
    assert len(released) == 81 and set(frame['text']) - set(released) == {'crescent'}
    with pytest.raises(ValueError, match='no vocabulary'):
        ytvis(tmp_path, content, vocabulary='uvo')


def test_burst_in_the_format_of_youtube_vis_is_the_same_as_its_own(world):
    """The file GLEE infers from, against ``BURSTDataset`` on all_classes.json of the same MiniWorld."""
    options = dict(data_root=f'{world}/', pipeline=[], test_mode=True)
    own = BURSTDataset(ann_file='burst_annotations/val/all_classes.json', data_prefix=dict(img='TAO/frames/val/'),
                       **options)
    other = YTVISJsonDataset(ann_file='burst_annotations/TAO_val_withlabel_ytvisformat.json',
                             data_prefix=dict(img='TAO/frames/'), **options)
    assert len(own) == len(other) == 2 and own.metainfo['classes'] == other.metainfo['classes']
    count = 0
    for index in range(2):
        mine, theirs = own.get_data_info(index), other.get_data_info(index)
        keys = ('neg_category_ids', 'not_exhaustive_category_ids')
        assert [mine['video_info'][key] for key in keys] == [theirs['video_info'][key] for key in keys]
        for a, b in zip(mine['images'], theirs['images'], strict=True):
            assert (a['img_path'], a['height'], a['width']) == (b['img_path'], b['height'], b['width'])
            pairs = [sorted((o['instance_id'], o['bbox_label'], o['mask']['counts'], o['bbox']) for o in f['instances'])
                     for f in (a, b)]
            assert pairs[0] == pairs[1]
            count += len(pairs[0])
    assert count > 5
