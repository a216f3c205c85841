"""MiniWorld's videos: what happens in them, and every format against the frames."""
import hashlib
import json
from collections import Counter

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as mask_utils
from worlds import SEED, VAL_VIDEOS, VIDEOS

from projects.glee.miniworld import build_miniworld
from projects.glee.miniworld.video_sources import OCCLUDING, TELLING, USUAL, VANISHING
from projects.glee.miniworld.world.video import film_videos
from projects.glee.miniworld.world.video_expressions import refer_to_tracks
from projects.glee.miniworld.world.vocabulary import COLOURS

# YouTube-VIS like file -> folder of its frames
FILES = {
    'ytvis_2019/annotations/instances_train_sub.json': 'ytvis_2019/train/JPEGImages',
    'ytvis_2019/annotations/instances_val_sub.json': 'ytvis_2019/val/JPEGImages',
    'ytvis_2021/annotations/instances_train_sub.json': 'ytvis_2021/train/JPEGImages',
    'ytvis_2021/annotations/instances_val_sub.json': 'ytvis_2021/val/JPEGImages',
    'ovis/annotations_train.json': 'ovis/train',
    'ovis/annotations_valid.json': 'ovis/valid',
    'UVO/annotations/VideoDenseSet/UVO_video_train_dense_objectlabel.json': 'UVO/uvo_videos_dense_frames',
    'UVO/annotations/VideoDenseSet/UVO_video_val_dense_objectlabel.json': 'UVO/uvo_videos_dense_frames',
    'lvvis/train_instances.json': 'lvvis/train/JPEGImages',
    'lvvis/val_instances.json': 'lvvis/val/JPEGImages',
    'ytbvos18/train/train.json': 'ytbvos18/train/JPEGImages',
    'ytbvos18/val/val.json': 'ytbvos18/val/JPEGImages',
    'mose/train/train.json': 'mose/train/JPEGImages',
    'mose/val/val.json': 'mose/val/JPEGImages',
    'DAVIS/2017_train.json': 'DAVIS/JPEGImages/480p',
    'DAVIS/2017_val.json': 'DAVIS/JPEGImages/480p',
    'ref-youtube-vos/train.json': 'ref-youtube-vos/train/JPEGImages',
    'ref-youtube-vos/valid.json': 'ref-youtube-vos/valid/JPEGImages',
    'bdd100k/labels/box_track_20/box_track_train_cocofmt_uni.json': 'bdd100k/images/track/train',
    'bdd100k/labels/box_track_20/box_track_val_cocofmt_uni.json': 'bdd100k/images/track/val',
    'bdd100k/labels/seg_track_20/seg_track_train_cocoformat_uni.json': 'bdd100k/images/seg_track_20/train',
    'bdd100k/labels/seg_track_20/seg_track_val_cocoformat_uni.json': 'bdd100k/images/seg_track_20/val',
    'TAO/TAO_annotations/validation_ytvisfmt.json': 'TAO/frames',
    'TAO/TAO_annotations/train_ytvisfmt.json': 'TAO/frames',
    'burst_annotations/TAO_val_withlabel_ytvisformat.json': 'TAO/frames',
}


@pytest.fixture(scope='module')
def told():
    return list(film_videos('mevis_train', 7, 25, 1, 1, TELLING))


def read(path):
    return json.loads(path.read_text())


def decode(segmentation):
    if isinstance(segmentation['counts'], list):
        segmentation = mask_utils.frPyObjects(segmentation, *segmentation['size'])
    return mask_utils.decode(segmentation).astype(bool)


# What happens


def test_objects_leave_come_back_hide_grow_and_have_twins():
    videos = list(film_videos('mose_train', 7, 25, 1, 1, VANISHING))
    back, late, gone, twins = 0, 0, 0, 0
    for video in videos:
        for track in video.tracks:
            shown = [glimpse is not None for glimpse in track.glimpses]
            turns = Counter(zip(shown, shown[1:]))
            back += turns[True, False] >= 1 and turns[False, True] >= 1 and shown[0] and shown[-1]
            late += not shown[0]
            gone += not shown[-1]
        looks = Counter((t.obj.shape, t.obj.colour, t.obj.fill) for t in video.tracks)
        twins += max(looks.values()) > 1
    assert back > 10 and late > 3 and gone > 3 and twins > len(videos) / 2
    usual = list(film_videos('ytvis19_val', 7, 25, 1, 1, USUAL))
    ratios = [track.poses[-1].size / track.poses[0].size for video in usual for track in video.tracks]
    assert max(ratios) > 1.4 and min(ratios) < 0.7
    hidden = list(film_videos('ovis_val', 7, 25, 1, 1, OCCLUDING))
    assert np.mean([video.occluded for video in hidden]) > 0.5 > np.mean([video.occluded for video in usual]) > 0.1


def test_same_coloured_objects_never_touch(told):
    for video in told:
        for frame in range(video.length):
            seen = [(t.obj.colour, t.glimpses[frame].mask) for t in video.tracks if t.glimpses[frame]]
            for position, (colour, mask) in enumerate(seen):
                wide = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
                assert not any(colour == other and (wide & theirs).any() for other, theirs in seen[:position])


def test_the_same_seed_writes_the_same_bytes(world, tmp_path):
    again = tmp_path / 'again'
    sources = ('mevis', 'davis', 'mose', 'bdd_seg_track')
    assert build_miniworld(again, 1, VIDEOS, SEED, val_videos=VAL_VIDEOS, sources=sources)
    files = [path for path in again.rglob('*') if path.is_file() and path.name != 'miniworld.json']
    assert len(files) > 300
    for path in files:
        there = world / path.relative_to(again)
        assert hashlib.sha256(there.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest(), path
    assert build_miniworld(tmp_path / 'other', 1, 1, seed=8, val_videos=1, sources=('davis', ))
    frames = [next(root.rglob('480p/*/00000.jpg')).read_bytes() for root in (again, tmp_path / 'other')]
    assert frames[0] != frames[1]


# Sentences


def test_sentences_about_motion_hold_for_their_objects_only(told):
    """Checked on what the frames show, not on how the objects were made to move."""
    checked = Counter()
    for video in told:
        for referral in refer_to_tracks(video, plurals=True):
            words = referral.sentences[0].replace('crosses', 'cross').replace('hourglasses', 'hourglass').split()
            if referral.kind != 'motion' or words[-1] not in ('left', 'right', 'up', 'down'):
                continue
            assert words[-2] in ('moves', 'move') and (words[-2] == 'move') == (len(referral.targets) > 1)
            noun = words[1:words.index('that')]
            namesakes = {index for index, track in enumerate(video.tracks) if any(track.glimpses) and all(
                word.removesuffix('s') in (track.obj.colour, track.obj.fill, track.obj.shape.removesuffix('s'))
                for word in noun)}
            assert set(referral.targets) < namesakes
            for index in namesakes:
                ways = way(video.tracks[index], video)
                if ways is not None:
                    assert (ways[words[-1]] > 14) == (index in referral.targets)
                    checked[words[-1], index in referral.targets] += 1
    assert len(checked) == 8 and min(checked.values()) > 3


def way(track, video):
    """How far an object that is never hidden or cut goes in each direction, px."""
    boxes = [glimpse and glimpse.bbox for glimpse in track.glimpses]
    if None in boxes or max(track.hidden) > 0 or any(
            x == 0 or y == 0 or x + w == video.width or y + h == video.height for x, y, w, h in boxes):
        return None
    (x, y), (u, v) = ((box[0] + box[2] / 2, box[1] + box[3] / 2) for box in (boxes[0], boxes[-1]))
    return {'left': x - u, 'right': u - x, 'up': y - v, 'down': v - y}


def test_looks_name_one_object_of_the_video(told):
    count = 0
    for video in told:
        for referral in refer_to_tracks(video):
            assert len(referral.targets) == 1
            if referral.kind == 'look':
                for sentence in referral.sentences:
                    words = set(sentence.split()[1:])
                    fits = [index for index, track in enumerate(video.tracks)
                            if words <= {track.obj.colour, track.obj.fill, track.obj.shape} and any(track.glimpses)]
                    assert fits == list(referral.targets)
                    count += 1
    assert count > 20


# Formats


@pytest.mark.parametrize('file', FILES)
def test_tracks_fit_their_frames(world, file):
    content = read(world / file)
    videos = {video['id']: video for video in content['videos']}
    assert len(videos) == len(content['videos']) >= 2
    sizes = {}
    for video in videos.values():
        assert video['length'] == len(video['file_names']) > 4
        for name in video['file_names']:
            sizes.setdefault(name, cv2.imread(str(world / FILES[file] / name)).shape[:2])
            assert sizes[name] == (video['height'], video['width'])
    categories = {category['id'] for category in content['categories']}
    assert len({entry['id'] for entry in content['annotations']}) == len(content['annotations']) >= 2
    for entry in content['annotations']:
        video = videos[entry['video_id']]
        assert entry['category_id'] in categories and any(entry['bboxes'])
        lists = [entry[key] for key in ('bboxes', 'areas', 'segmentations') if key in entry]
        assert {len(values) for values in lists} == {video['length']}
        for seen in zip(*lists):
            assert len({value is None for value in seen}) == 1
            if len(seen) == 3 and seen[0] is not None:
                mask = decode(seen[2])
                assert mask.shape == (video['height'], video['width'])
                assert mask.sum() == seen[1] >= (16 if 'bdd' not in file else 1)
                # polygons of BDD leave the pixel grid a little
                assert np.allclose(mask_utils.toBbox(mask_utils.encode(np.asfortranarray(mask))), seen[0],
                                   atol=1.1 if 'bdd' in file else 0)


def test_masks_lie_on_the_objects(world):
    """Solid objects have the colour of their name where their mask is."""
    content = read(world / 'lvvis/val_instances.json')
    names = {category['id']: category['name'].split() for category in content['categories']}
    videos = {video['id']: video for video in content['videos']}
    checked = 0
    for entry in content['annotations']:
        fill, colour, _ = names[entry['category_id']]
        for name, segmentation in zip(videos[entry['video_id']]['file_names'], entry['segmentations']):
            if segmentation is None or fill != 'solid':
                continue
            inner = cv2.erode(decode(segmentation).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
            if inner.sum() > 20:
                pixels = cv2.imread(str(world / 'lvvis/val/JPEGImages' / name))[..., ::-1][inner]
                shade = np.linalg.norm(np.median(pixels, 0)) / np.linalg.norm(COLOURS[colour])
                assert np.abs(np.median(pixels, 0) - np.array(COLOURS[colour]) * shade).max() < 20
                checked += 1
    assert checked > 10


def test_lvvis_novel_categories_are_only_in_val(world):
    train, val = (read(world / f'lvvis/{split}_instances.json') for split in ('train', 'val'))
    assert [c['id'] for c in val['categories']] == list(range(1, 241))
    assert {c['partition'] for c in val['categories']} == {0, 1, 2, 3}
    novel = {c['id'] for c in val['categories'] if c['partition'] > 1}
    assert not novel & {entry['category_id'] for entry in train['annotations']}


def test_occlusion_split_and_levels(world):
    whole, split = (read(world / f'ovis/annotations_valid{name}.json') for name in ('', '_occlusion'))
    ids = {video['id'] for video in split['videos']}
    assert 0 < len(ids) and ids <= {video['id'] for video in whole['videos']}
    severe = {entry['video_id'] for entry in whole['annotations'] if 'severe_occlusion' in entry['occlusion']
              or None in entry['occlusion'][1:-1]}
    assert ids <= severe
    assert split['annotations'] == [entry for entry in whole['annotations'] if entry['video_id'] in ids]
    for entry in whole['annotations']:
        assert [level is None for level in entry['occlusion']] == [box is None for box in entry['bboxes']]


def test_frames_as_images_hold_the_same_objects(world):
    videos, images = read(world / 'ovis/annotations_train.json'), read(world / 'ovis/ovis_cocofmt.json')
    assert [image['file_name'] for image in images['images']] == [
        name for video in videos['videos'] for name in video['file_names']]
    per_video = sum(box is not None for entry in videos['annotations'] for box in entry['bboxes'])
    assert len(images['annotations']) == per_video and images['categories'] == videos['categories']


@pytest.mark.parametrize('file, tree', [('ytbvos18/val/val.json', 'ytbvos18/val/Annotations'),
                                        ('mose/train/train.json', 'mose/train/Annotations'),
                                        ('DAVIS/2017_val.json', 'DAVIS/Annotations/480p')])
def test_png_trees_hold_the_masks(world, file, tree):
    content = read(world / file)
    for video in content['videos']:
        tracks = [entry for entry in content['annotations'] if entry['video_id'] == video['id']]
        for frame, name in enumerate(video['file_names']):
            image = Image.open((world / tree / name).with_suffix('.png'))
            assert image.mode == 'P' and image.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
            ids = np.array(image)
            for number, track in enumerate(tracks, 1):
                mask = track['segmentations'][frame]
                assert ((ids == number) == (decode(mask) if mask else np.zeros_like(ids, bool))).all()
            assert ids.max() <= len(tracks)


def test_davis_lists_its_videos_and_ytvos_its_objects(world):
    names = (world / 'DAVIS/ImageSets/2017/val.txt').read_text().split()
    assert sorted(names) == sorted({name.split('/')[0] for video in read(world / 'DAVIS/2017_val.json')['videos']
                                    for name in video['file_names']})
    meta, content = read(world / 'ytbvos18/train/meta.json'), read(world / 'ytbvos18/train/train.json')
    categories = [obj['category'] for video in meta['videos'].values() for obj in video['objects'].values()]
    assert len(categories) == len(content['annotations']) and not {'crescent', 'hourglass'} & set(categories)
    frames = [len(obj['frames']) for video in meta['videos'].values() for obj in video['objects'].values()]
    assert frames == [sum(box is not None for box in entry['bboxes']) for entry in content['annotations']]


def test_referring_videos_agree_with_their_png_files(world):
    content = read(world / 'ref-youtube-vos/train.json')
    meta = read(world / 'ref-youtube-vos/meta_expressions/train/meta_expressions.json')['videos']
    layout = read(world / 'ref-youtube-vos/RVOS_refcocofmt.json')
    entries = {entry['video_id']: entry for entry in content['annotations']}
    for video in content['videos']:
        said = meta[video['video']]['expressions'][video['exp_id']]
        assert [said['exp']] == video['expressions'] and said['obj_id'] == str(video['obj_id'])
        for name, mask in zip(video['file_names'], entries[video['id']]['segmentations']):
            ids = np.array(Image.open((world / 'ref-youtube-vos/train/Annotations' / name).with_suffix('.png')))
            assert (ids == video['obj_id']).sum() == (decode(mask).sum() if mask else 0)
    assert len(layout['images']) == len(layout['annotations']) > 30
    folder = world / 'ref-youtube-vos/train/JPEGImages'
    assert all((folder / image['file_name']).is_file() for image in layout['images'])


def test_ref_davis_has_a_sentence_per_object_and_annotator(world):
    """Sentence 4k + a is annotator a's about object k + 1 of DAVIS's maps, in both kinds of files."""
    files = [read(world / f'ref-davis/valid_{annotator}.json') for annotator in range(4)]
    masks, meta = read(world / 'ref-davis/mask_dict.json'), read(
        world / 'ref-davis/meta_expressions/valid/meta_expressions.json')['videos']
    assert all('annotations' not in content for content in files)
    for name, video in meta.items():
        ids = np.array(Image.open(world / f'ref-davis/DAVIS/Annotations_unsupervised/480p/{name}/00000.png'))
        assert len(video['expressions']) == 4 * ids.max() > 0
        for annotator, content in enumerate(files):
            entry, = [entry for entry in content['videos'] if entry['video'] == name]
            [sentences] = entry['expressions']
            keys = [str(4 * position + annotator) for position in range(ids.max())]
            assert sentences == [video['expressions'][key]['exp'] for key in keys]
            assert [video['expressions'][key]['obj_id'] for key in keys] == [str(i + 1) for i in range(ids.max())]
            for file, frame in zip(entry['file_names'], video['frames'], strict=True):
                assert file == f'{name}/{frame}.jpg' and (
                    world / 'ref-davis/DAVIS/JPEGImages/480p' / file).is_file()
        for said in video['expressions'].values():
            first = masks[str(said['anno_id'][0])][0]
            assert np.array_equal(mask_utils.decode(first).astype(bool), ids == int(said['obj_id']))
            assert len(masks[str(said['anno_id'][0])]) == len(video['frames'])


def test_mevis_sentences_point_at_masks(world):
    for split in ('train', 'valid_u'):
        meta = read(world / f'mevis/{split}/meta_expressions.json')['videos']
        masks = read(world / f'mevis/{split}/mask_dict.json')
        for name, video in meta.items():
            for said in video['expressions'].values():
                assert len(said['anno_id']) == len(said['obj_id']) > 0 and said['exp'].startswith('the ')
                assert all(len(masks[str(anno)]) == len(video['frames']) for anno in said['anno_id'])
            for frame in video['frames']:
                assert (world / f'mevis/{split}/JPEGImages/{name}/{frame}.jpg').is_file()


def test_tao_and_burst_tell_the_same(world):
    tao = read(world / 'TAO/TAO_annotations/validation.json')
    fmt, burst = (read(world / f'burst_annotations/{name}.json')
                  for name in ('TAO_val_withlabel_ytvisformat', 'val/all_classes'))
    images = {image['id']: image for image in tao['images']}
    boxes = {(entry['track_id'], entry['image_id']): entry['bbox'] for entry in tao['annotations']}
    inference = read(world / 'TAO/TAO_annotations/validation_ytvisfmt.json')
    for video in inference['videos']:
        assert [images[index]['file_name'] for index in video['image_ids']] == video['file_names']
        for entry in (entry for entry in inference['annotations'] if entry['video_id'] == video['id']):
            assert [boxes.get((entry['id'], index)) for index in video['image_ids']] == entry['bboxes']
    assert len(boxes) == sum(box is not None for entry in inference['annotations'] for box in entry['bboxes'])
    merged = [category for category in tao['categories'] if 'merged' in category]
    assert merged[0]['id'] == 1 and merged[0]['merged'][0]['id'] == 2
    for sequence, video in zip(burst['sequences'], fmt['videos']):
        tracks = [entry for entry in fmt['annotations'] if entry['video_id'] == video['id']]
        folder = world / f'TAO/frames/val/{sequence["dataset"]}/{sequence["seq_name"]}'
        assert all((folder / name).is_file() for name in sequence['all_image_paths'])
        assert sequence['annotated_image_paths'] == sequence['all_image_paths'][::3]
        assert list(sequence['track_category_ids'].values()) == [entry['category_id'] for entry in tracks]
        for frame, segmentations in enumerate(sequence['segmentations']):
            assert {key: value['rle'] for key, value in segmentations.items()} == {
                str(number): entry['segmentations'][frame]['counts'] for number, entry in enumerate(tracks, 1)
                if entry['segmentations'][frame]}
