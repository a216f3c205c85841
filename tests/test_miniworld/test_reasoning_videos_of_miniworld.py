"""MiniWorld's ReVOS, ReasonVOS and COCO test-dev, against the scenes that they show and through their test configs."""
import hashlib
import json

import numpy as np
import pytest
from config_runs import load_video
from mmdet.registry import DATASETS, METRICS
from PIL import Image
from pycocotools import mask as mask_utils
from video_feed import feed, read_videos
from worlds import SEED, VAL_IMAGES, VAL_VIDEOS

from projects.glee.miniworld.plan import FIRST_VAL_ANN_ID, FIRST_VAL_VIDEO_ID
from projects.glee.miniworld.video_sources import TELLING
from projects.glee.miniworld.world.video import film_videos
from projects.glee.miniworld.world.vocabulary import COLOURS, FILLS, SHAPES
from projects.glee.structures import Track

LOOKS = {*COLOURS, *FILLS, *SHAPES}


def read(path):
    return json.loads(path.read_text())


def filmed(source):
    """{name: video} of a source's validation split, drawn once more."""
    return {video.name: video for video in film_videos(
        f'{source}_val', SEED, VAL_VIDEOS, FIRST_VAL_VIDEO_ID, FIRST_VAL_ANN_ID, TELLING)}


def fits(sentence, video):
    """Positions of the objects in sight that have every look of a sentence."""
    words = LOOKS & set(sentence.removeprefix('the ').split())
    return [index for index, track in enumerate(video.tracks) if any(track.glimpses)
            and words <= {track.obj.colour, track.obj.fill, track.obj.shape}]


def seen(video, indices, frame):
    """All these objects in a frame, bool (H, W)."""
    masks = [video.tracks[index].glimpses[frame].mask for index in indices if video.tracks[index].glimpses[frame]]
    return np.any([np.zeros((video.height, video.width), bool), *masks], 0)


def test_revos_says_what_is_there(world):
    videos, folder = filmed('revos'), world / 'ReVOS'
    masks, foregrounds = read(folder / 'mask_dict.json'), read(folder / 'mask_dict_foreground.json')
    metas = read(folder / 'meta_expressions_valid_.json')['videos']
    kinds = set()
    assert list(metas) == list(videos)
    for name, meta in metas.items():
        video = videos[name]
        everything = range(len(video.tracks))
        for frame, rle in enumerate(foregrounds[name]['masks_rle']):
            assert np.array_equal(mask_utils.decode(rle), seen(video, everything, frame))
        for said in meta['expressions'].values():
            kinds.add(said['type_id'])
            if said['type_id'] == 2:
                assert not fits(said['exp'], video) and said['anno_id'] == []
            if said['type_id'] == 0:
                target, = fits(said['exp'], video)
                anno, = said['anno_id']
                for frame, rle in enumerate(masks[str(anno)]):
                    found = mask_utils.decode(rle) if rle else np.zeros((video.height, video.width))
                    assert np.array_equal(found, seen(video, [target], frame))
    assert kinds == {0, 1, 2}
    train = read(folder / 'meta_expressions_train_.json')['videos']
    used = [{anno for meta in part.values() for said in meta['expressions'].values() for anno in said['anno_id']}
            for part in (train, metas)]
    assert not used[0] & used[1] and not set(train) & set(metas)


def test_reason_vos_has_a_folder_of_masks_for_each_object(world):
    videos, folder = filmed('reason_vos'), world / 'ReasonVOS'
    checked = 0
    for name, meta in read(folder / 'meta_expressions.json')['videos'].items():
        for said in meta['expressions']:
            if not said['is_sent']:
                target, = fits(said['exp_text'], videos[name])
                for number, frame in enumerate(meta['frames']):
                    path = folder / f'Annotations/{meta["source"].lower()}_{name}_{said["obj_id"]}/{frame}.png'
                    expected = seen(videos[name], [target], number)
                    assert path.is_file() == expected.any()
                    if path.is_file():
                        assert np.array_equal(np.asarray(Image.open(path)) > 0, expected)
                        checked += 1
    assert checked > 20


@pytest.mark.parametrize('name', ['revos', 'reason-vos'])
def test_the_objects_of_the_files_score_one(name, world, tmp_path):
    cfg = load_video(f'mini_{name}', world, tmp_path)
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset, pipeline=[]))
    videos = read_videos(dataset)
    for number, video in enumerate(videos):
        frames = dataset.frames_of(dataset.get_data_info(number), range(len(video.frames)))
        video.tracks = [
            Track(index, index, 1., [union(frame, expression['object_ids']) for frame in frames],
                  [None] * len(frames)) for index, expression in enumerate(video.info['expressions'])]
    metric = METRICS.build(cfg.test_evaluator)
    feed(metric, videos)
    found = metric.evaluate(len(videos))
    prefix = name.replace('-', '_')
    assert len(videos) == VAL_VIDEOS and {found[f'{prefix}/{key}'] for key in ('J&F', 'J', 'F')} == {1.0}


def union(frame, identities):
    """RLE of some objects of a frame; None where none is to be seen."""
    rles = [row['mask'] for row in frame['instances'] if row['instance_id'] in identities]
    return mask_utils.merge(rles) if rles else None


def test_test_dev_has_pictures_of_its_own_and_no_objects(world):
    file = read(world / 'coco/annotations/image_info_test-dev2017.json')
    assert 'annotations' not in file and len(file['images']) == VAL_IMAGES
    assert file['categories'] == read(world / 'coco/annotations/instances_val2017.json')['categories']
    shown = [{hashlib.sha256(path.read_bytes()).digest() for path in (world / f'coco/{split}2017').iterdir()}
             for split in ('train', 'val', 'test')]
    assert len(shown[2]) == VAL_IMAGES and not shown[2] & (shown[0] | shown[1])
    for row in file['images']:
        assert Image.open(world / 'coco/test2017' / row['file_name']).size == (row['width'], row['height'])
