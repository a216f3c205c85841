"""Files of videos as their owners publish them, read to values worked out by hand."""
import json

import numpy as np
import pycocotools.mask as mask_utils
import pytest
from image_files import save_image, write_json
from logs import captured_log
from mmdet.registry import DATASETS
from mmengine.config import Config
from paths import FORMATS, config_file
from PIL import Image
from rle import rle
from video_feed import feed, read_videos

from projects.glee.datasets import load_vocabulary
from projects.glee.datasets.conversion import convert_png_videos, convert_videos
from projects.glee.datasets.video import (
    MetaExpressionsDataset,
    PNGTreeDataset,
    RefDavisDataset,
    VideoFramesDataset,
    YTVISJsonDataset,
)
from projects.glee.evaluation.functional.result_checks import ResultFileError, check_expression_masks
from projects.glee.evaluation.metrics import DavisVOSMetric, ExpressionJFMetric, YouTubeVOSMetric
from projects.glee.structures import Track, palette_picture

W, H = 32, 24


def square(x, y, side=8, value=1):
    pixels = np.zeros((H, W), np.uint8)
    pixels[y:y + side, x:x + side] = value
    return pixels


# ---- TAO ----
def tao_in_the_layout_of_ytvis(folder, **changes):
    """What UNINEXT makes of validation.json: no `merged`, an image of each annotated frame."""
    tao = json.loads((FORMATS / 'tao/validation.json').read_text())
    names = {image['id']: image['file_name'] for image in tao['images']}
    content = dict(
        videos=[dict(id=0, width=640, height=480, length=2, image_ids=[11, 12], file_names=[names[11], names[12]]),
                dict(id=7, width=270, height=480, length=1, image_ids=[30], file_names=[names[30]])],
        categories=[{key: row[key] for key in ('id', 'name')} for row in tao['categories']], annotations=None,
        **changes)
    (folder / 'ytvisfmt.json').write_text(json.dumps(content))


def tao(folder, eval_file=FORMATS / 'tao/validation.json', **options):
    return YTVISJsonDataset(ann_file=str(folder / 'ytvisfmt.json'), eval_file=str(eval_file), pipeline=[],
                            data_prefix=dict(img='frames/'), **{'test_mode': True, **options})


def labels_in(dataset):
    return [[[(o['instance_id'], o['bbox_label'], o['bbox']) for o in frame['instances']]
             for frame in dataset.get_data_info(i)['images']] for i in range(len(dataset))]


def test_tao_takes_merged_from_the_file_that_holds_it(tmp_path):
    tao_in_the_layout_of_ytvis(tmp_path)
    dataset = tao(tmp_path)
    assert dataset.metainfo['classes'] == ('armadillo', 'bicycle', 'baby', 'man')
    assert dataset.metainfo['merged_labels'] == (0, 1, 2, 2)  # a man counts as a baby, which stands for a person
    assert labels_in(dataset) == [[[(1, 2, [360, 270, 400, 380]), (2, 1, [10, 20, 70, 60])],
                                   [(1, 2, [368, 272, 402, 384])]],
                                  [[(3, 3, [5, 6, 15, 26]), (4, 0, [100, 6, 110, 26])]]]
    assert dataset.get_data_info(0)['video_info']['not_exhaustive_category_ids'] == [805]


def test_tao_is_refused_where_no_file_says_what_is_merged(tmp_path):
    tao_in_the_layout_of_ytvis(tmp_path)
    content = json.loads((FORMATS / 'tao/validation.json').read_text())
    for row in content['categories']:
        row.pop('merged', None)
    (tmp_path / 'eval.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match='neither .*ytvisfmt.json nor .*eval.json says .*`merged`'):
        tao(tmp_path, tmp_path / 'eval.json')
    content['categories'][1]['name'] = 'unicycle'
    (tmp_path / 'eval.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match="do not belong together: the category 95 is 'bicycle'.*'unicycle'"):
        tao(tmp_path, tmp_path / 'eval.json')


def test_a_subset_of_names_is_asked_for(tmp_path):
    """Objects of other categories are left out; one that is merged into an asked name counts as that."""
    tao_in_the_layout_of_ytvis(tmp_path)
    dataset = tao(tmp_path, classes=('Baby', 'bicycle'))
    assert dataset.metainfo['classes'] == ('bicycle', 'baby') and dataset.metainfo['category_ids'] == (95, 805)
    assert dataset[0]['frames'][0]['text'] == ('bicycle', 'baby') and dataset.metainfo['merged_labels'] == (0, 1)
    assert labels_in(dataset) == [[[(1, 1, [360, 270, 400, 380]), (2, 0, [10, 20, 70, 60])],
                                   [(1, 1, [368, 272, 402, 384])]],
                                  [[(3, 1, [5, 6, 15, 26])]]]
    with pytest.raises(ValueError, match=r"lacks 1 of the 2 names in classes=, e.g. \['zebra'\]"):
        tao(tmp_path, classes=('zebra', 'bicycle'))
    with pytest.raises(ValueError, match='lacks 30. of the 302 names'):
        tao(tmp_path, classes='tao')


def test_the_config_of_tao_asks_for_the_302_names_of_glee(tmp_path):
    """Of the many of the file, spelt as the released models were tested, in the order of the file."""
    dataset = dict(Config.fromfile(config_file('glee_r50_tao')).test_dataloader.dataset)
    released = load_vocabulary('tao')
    names = ['zorilla', *(name.replace('_', ' ') for name in released), 'zither']
    categories = [dict(id=number, name=name) for number, name in enumerate(names, 7)]
    categories[0]['merged'] = [dict(id=8, name=names[1])]
    video = dict(id=1, width=8, height=8, file_names=['val/a/0.jpg'], image_ids=[5])
    row = dict(id=1, video_id=1, track_id=1, image_id=5, bbox=[1, 1, 4, 4])
    rows = [dict(row, category_id=number, track_id=number) for number in (7, 9, 7 + 303)]
    for path, content in ((dataset['ann_file'], dict(videos=[video], categories=categories)), (
            dataset['eval_file'], dict(videos=[video], categories=categories, annotations=rows))):
        write_json(tmp_path / path, content)
    dataset = DATASETS.build(dict(dataset, data_root=f'{tmp_path}/', pipeline=[]))
    frame, = dataset[0]['frames']
    assert frame['text'] == released and len(released) == 302
    assert [o['bbox_label'] for o in frame['instances']] == [1] and dataset.metainfo['category_ids'][:2] == (8, 9)


# ---- UVO dense ----
def uvo(**options):
    return YTVISJsonDataset(ann_file=str(FORMATS / 'uvo/UVO_video_val_dense_with_label.json'), pipeline=[],
                            data_prefix=dict(img='frames/'), test_mode=True, **options)


def test_uvo_dense_as_released_with_the_names_of_glee():
    """What is no name of COCO is 'other' in UVO's file and 'object' in the question."""
    dataset = uvo(vocabulary='uvo_video')
    assert dataset[0]['frames'][0]['text'] == ('person, object', 'tv, object', 'object')
    assert dataset.metainfo['category_ids'] == (1, 72, 91)
    assert [[o['bbox_label'] for o in frame['instances']] for frame in dataset[0]['frames']] == [[2, 0], [0, 1]]


def test_uvo_dense_where_object_alone_is_asked():
    """All 81 categories are one, also of single frames."""
    dataset = uvo(text=('object', ))
    assert dataset.metainfo['classes'] == ('object', ) and dataset.metainfo['category_ids'] == (91, )
    assert [[o['bbox_label'] for o in frame['instances']] for frame in dataset[0]['frames']] == [[0, 0], [0, 0]]
    frames = VideoFramesDataset(ann_file=str(FORMATS / 'uvo/UVO_video_val_dense_with_label.json'), pipeline=[],
                                data_prefix=dict(img='frames/'), check_files=False, prompts='uvo_frame')
    items = [frames.get_data_info(i) for i in range(len(frames))]
    assert [item['text'] for item in items] == [('object', )] * 2 and frames.metainfo['classes'] == ('object', )
    assert [[o['bbox_label'] for o in item['instances']] for item in items] == [[0, 0], [0, 0]]
    assert [[o['instance_id'] for o in item['instances']] for item in items] == [[11, 12], [12, 13]]
    with pytest.raises(ValueError, match='has 3 categories but text= 2 names'):
        uvo(text=('object', 'other'))


# ---- YouTube-VOS and MOSE valid ----
def save_palette(pixels, path):
    palette_picture(pixels).save(path)


def png_tree(folder, maps, save=save_palette, **options):
    for name, frames in maps.items():
        for number, pixels in frames.items():
            save_image(folder / f'img/{name}/{number}.jpg', W, H)
            if pixels is not None:
                (folder / f'ann/{name}').mkdir(parents=True, exist_ok=True)
                save(pixels, folder / f'ann/{name}/{number}.png')
    return PNGTreeDataset(data_root=f'{folder}/', data_prefix=dict(img='img/', ann='ann/'), pipeline=[],
                          test_mode=True, **options)


def test_youtube_vos_valid_whose_meta_has_frames_only(tmp_path):
    for name in ('meta_train.json', 'meta_valid.json'):
        (tmp_path / name).write_text((FORMATS / 'youtube_vos' / name).read_text())
    dataset = png_tree(tmp_path, {
        '0062f687f1': {'00000': square(2, 2), '00005': None, '00010': square(20, 10, value=2), '00015': None},
        '00f88c4f0a': {'00000': square(1, 1), '00005': None}}, meta_file='meta_valid.json',
        train_meta_file='meta_train.json')
    videos = read_videos(dataset)
    assert [video.annotated for video in videos] == [[], []] and [len(v.truth()) for v in videos] == [1, 2]
    assert [[o['is_first'] for f in dataset[i]['frames'] for o in f['instances']] for i in (0, 1)] == [
        [True], [True] * 2]
    for video in videos:
        video.tracks = [Track(1, 0, 1.0, [None] * len(video.frames), [None] * len(video.frames))]
    metric = YouTubeVOSMetric(outfile_prefix=str(tmp_path / 'out'))
    feed(metric, videos)
    with captured_log() as messages:
        assert metric.evaluate(2) == {}
    assert any('2 of 2 videos have no annotations of this kind' in m and 'only written' in m for m in messages)
    assert sorted(path.name for path in (tmp_path / 'out/0062f687f1').iterdir()) == [
        '00000.png', '00005.png', '00010.png', '00015.png']


@pytest.mark.parametrize('by_uninext', [True, False])
def test_first_masks_in_the_layout_of_youtube_vis_hide_the_truth_too(tmp_path, by_uninext):
    """Ours names the frames that have a PNG; UNINEXT's val.json does not."""
    png_tree(tmp_path, dict(a={'00000': square(2, 2), '00005': None, '00010': square(20, 10, value=2), '00015': None},
                            b={'00000': square(1, 1), '00005': None}))
    convert_png_videos(tmp_path / 'img', tmp_path / 'ann', tmp_path / 'val.json')
    content = json.loads((tmp_path / 'val.json').read_text())
    assert [video.pop('annotated_frames') for video in content['videos']] == [[0, 2], [0]]
    if by_uninext:
        (tmp_path / 'val.json').write_text(json.dumps(content))
    dataset = YTVISJsonDataset(ann_file=str(tmp_path / 'val.json'), data_prefix=dict(img='img/'), pipeline=[],
                               test_mode=True)
    videos = read_videos(dataset)
    assert [video.annotated for video in videos] == [[], []] and [len(video.truth()) for video in videos] == [2, 1]
    metric = DavisVOSMetric()
    feed(metric, videos)
    assert metric.evaluate(2) == {}


def test_frames_without_a_png_are_no_negatives(tmp_path):
    """Every second frame is annotated: the others are left out of training, and not scored."""
    png_tree(tmp_path, dict(a={f'{i:05d}': square(2 + i, 2) if i % 2 == 0 else None for i in range(5)}))
    convert_png_videos(tmp_path / 'img', tmp_path / 'ann', tmp_path / 'train.json')
    files = dict(ann_file=str(tmp_path / 'train.json'), data_prefix=dict(img=f'{tmp_path}/img/'), pipeline=[])
    tested, trained = YTVISJsonDataset(test_mode=True, **files), YTVISJsonDataset(**files)
    assert [frame['annotated'] for frame in tested.get_data_info(0)['images']] == [True, False, True, False, True]
    record = trained.get_data_info(0)
    assert [(f['frame_id'], f['img_path'][-9:], f['instances'][0]['bbox'][0]) for f in record['images']] == [
        (0, '00000.jpg', 2), (1, '00002.jpg', 4), (2, '00004.jpg', 6)] and record['video_length'] == 3
    frames = VideoFramesDataset(**files)
    assert [frames.get_data_info(i)['frame_id'] for i in range(len(frames))] == [0, 2, 4]
    convert_videos(tmp_path / 'train.json', tmp_path / 'coco.json')
    assert [image['frame_id'] for image in json.loads((tmp_path / 'coco.json').read_text())['images']] == [0, 2, 4]


def test_hidden_annotations_read_as_none_everywhere(tmp_path):
    content = json.loads((FORMATS / 'uvo/UVO_video_val_dense_with_label.json').read_text())
    (tmp_path / 'valid.json').write_text(json.dumps(dict(content, annotations=None)))
    clips = YTVISJsonDataset(ann_file=str(tmp_path / 'valid.json'), pipeline=[], test_mode=True)
    assert [(f['annotated'], f['instances']) for f in clips.get_data_info(0)['images']] == [(False, [])] * 2
    frames = VideoFramesDataset(ann_file=str(tmp_path / 'valid.json'), pipeline=[], check_files=False)
    assert [frames.get_data_info(i)['instances'] for i in range(len(frames))] == [[], []]
    convert_videos(tmp_path / 'valid.json', tmp_path / 'o.json')
    written = json.loads((tmp_path / 'o.json').read_text())
    assert len(written['images']) == 2 and written['annotations'] == []


# ---- DAVIS 2016 ----
def save_grey(pixels, path):
    Image.fromarray(pixels).save(path)


def test_silhouettes_of_davis_2016_are_one_object(tmp_path):
    maps = dict(blackswan={f'{i:05d}': square(2 + i, 2, value=255) for i in range(3)})
    maps['blackswan']['00001'] = 0 * square(0, 0)
    dataset = png_tree(tmp_path, maps, save_grey)
    frames = dataset[0]['frames']
    assert [[(o['instance_id'], o['is_first']) for o in f['instances']] for f in frames] == [
        [(1, True)], [], [(1, False)]]
    assert all(frame['annotated'] and 'void' not in frame for frame in frames)
    assert np.array_equal(mask_utils.decode(frames[2]['instances'][0]['mask']), square(4, 2))
    convert_png_videos(tmp_path / 'img', tmp_path / 'ann', tmp_path / 'out.json')
    track, = json.loads((tmp_path / 'out.json').read_text())['annotations']
    assert track['bboxes'] == [[2, 2, 8, 8], None, [4, 2, 8, 8]] and track['png_id'] == 1
    [video] = read_videos(dataset)
    video.tracks = [Track(1, 0, 1.0, [rle(square(2 + i, 2)) if i != 1 else None for i in range(3)], [None] * 3)]
    metric = DavisVOSMetric(skip_first=False, skip_last=False)
    feed(metric, [video])
    assert metric.evaluate(1)['vos/J&F'] == 1.0


def test_void_of_palette_files_and_of_files_with_numbers_stays_void(tmp_path):
    for folder, save, pixels in (('p', save_palette, square(2, 2, value=255)),
                                 ('l', save_grey, square(2, 2, value=255) + square(20, 10, value=3))):
        frame = png_tree(tmp_path / folder, dict(a={'00000': pixels}), save)[0]['frames'][0]
        assert np.array_equal(mask_utils.decode(frame['void']), square(2, 2))
        assert [o['instance_id'] for o in frame['instances']] == ([3] if folder == 'l' else [])
        skipped = convert_png_videos(tmp_path / folder / 'img', tmp_path / folder / 'ann', tmp_path / 'out.json')
        assert not +skipped and len(json.loads((tmp_path / 'out.json').read_text())['annotations']) == (folder == 'l')


def test_lists_of_davis_2016_name_a_frame_and_its_png_a_line(tmp_path):
    maps = {name: {f'{i:05d}': square(2, 2, value=255) for i in range(2)} for name in ('blackswan', 'boat', 'bmx')}
    (tmp_path / 'val.txt').write_text(''.join(
        f'/JPEGImages/480p/{name}/{i:05d}.jpg /Annotations/480p/{name}/{i:05d}.png\n' for name in ('boat', 'bmx')
        for i in range(2)))
    dataset = png_tree(tmp_path, maps, save_grey, split_file='val.txt')
    assert [dataset.get_data_info(i)['video_info']['name'] for i in range(len(dataset))] == ['boat', 'bmx']


def test_damaged_files_of_a_list_do_not_end_a_test(tmp_path):
    """A video without frames is left out, a damaged first frame or PNG is named; all others count."""
    maps = {name: {f'{i:05d}': square(2, 2) for i in range(3)} for name in ('a', 'b', 'c')}
    png_tree(tmp_path, maps)
    (tmp_path / 'val.txt').write_text('a\nabsent\nb\nc\n')
    (tmp_path / 'img/a/00000.jpg').write_bytes(b'\xff\xd8')
    (tmp_path / 'ann/a/00001.png').write_bytes(b'\x89PNG\r\n')
    for path in (tmp_path / 'img/c').iterdir():
        path.write_bytes(b'')
    with captured_log() as messages:
        dataset = png_tree(tmp_path, {}, split_file='val.txt')
        frames = dataset[0]['frames']
    assert [dataset.get_data_info(i)['video_info']['name'] for i in range(len(dataset))] == ['a', 'b']
    assert any('video without a readable frame: 1 (first: video c)' in m and 'video without frames: 1' in m
               for m in messages)
    assert [frame['annotated'] for frame in frames] == [True, False, True] and frames[0]['height'] == H
    assert sum('ann/a/00001.png' in m and 'not annotated' in m for m in messages) == 1
    with pytest.raises(ValueError, match='video without frames'):
        (tmp_path / 'val.txt').write_text('absent\n')
        png_tree(tmp_path, {}, split_file='val.txt')


# ---- sentences ----
def test_ref_youtube_vos_valid_names_videos_of_test_too(tmp_path):
    (tmp_path / 'meta.json').write_text((FORMATS / 'ref_youtube_vos/meta_expressions_valid.json').read_text())
    for frame in ('00000', '00005'):
        save_image(tmp_path / f'JPEGImages/0062f687f1/{frame}.jpg', W, H)
    with captured_log() as messages:
        dataset = MetaExpressionsDataset(data_root=f'{tmp_path}/', ann_file='meta.json', pipeline=[], test_mode=True,
                                         data_prefix=dict(img='JPEGImages/'))
        [video] = read_videos(dataset)
    assert any('as those of the test split in the file of valid: 1 (first: video 00917dcfc4)' in m for m in messages)
    assert video.text == ('a cat on the left', 'the brown cat') and not video.annotated
    assert [entry['exp_id'] for entry in video.info['expressions']] == ['0', '1']
    video.tracks = [Track(1, 0, 1.0, [rle(square(2, 2))] * 2, [None] * 2)]
    metric = ExpressionJFMetric(outfile_prefix=str(tmp_path / 'out'))
    feed(metric, [video])
    with captured_log() as messages:
        assert metric.evaluate(1) == {}
    assert any('only written' in m for m in messages)
    assert np.array_equal(np.array(Image.open(tmp_path / 'out/0062f687f1/0/00005.png')), 255 * square(2, 2))
    (tmp_path / 'out/0062f687f1/1').symlink_to(tmp_path / 'out/0062f687f1/0')
    assert check_expression_masks(tmp_path / 'out', tmp_path / 'JPEGImages', tmp_path / 'meta.json') == 4
    with pytest.raises(ResultFileError, match='the frames of no video'):
        check_expression_masks(tmp_path / 'out', tmp_path / 'out', write_json(tmp_path / 'm.json', dict(videos={})))


def test_ref_davis_of_a_video_without_frames_is_left_out(tmp_path):
    said = {str(key): dict(exp=f'sentence {key}') for key in range(4)}
    (tmp_path / 'meta.json').write_text(json.dumps(dict(videos=dict(gone=dict(expressions=said, frames=['00000']),
                                                                    here=dict(expressions=said, frames=['00000'])))))
    png_tree(tmp_path, dict(here={'00000': square(2, 2)}))
    with captured_log() as messages:
        dataset = RefDavisDataset(data_root=f'{tmp_path}/', ann_file='meta.json', pipeline=[], test_mode=True,
                                  data_prefix=dict(img='img/', ann='ann/'))
        assert len(dataset) == 4 and {dataset.get_data_info(i)['video_info']['name'] for i in range(4)} == {'here'}
    assert any('video without frames: 4 (first: video gone)' in m for m in messages)
