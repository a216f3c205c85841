"""The product's readers on files that MiniWorld wrote with code of its own, against the scenes that it drew."""
import ast

import numpy as np
import pytest
from config_runs import load
from mmdet.registry import DATASETS
from paths import ROOT
from pycocotools import mask as mask_utils
from worlds import IMAGES, SEED, VIDEOS

from projects.glee.miniworld.image_sources import CROWDED
from projects.glee.miniworld.video_sources import OCCLUDING, USUAL
from projects.glee.miniworld.world.pictures import take_pictures
from projects.glee.miniworld.world.referring import refer
from projects.glee.miniworld.world.scene import SceneSampler, visible_masks
from projects.glee.miniworld.world.video import film_videos


def shape(obj):
    return obj.shape


def nameless(obj):
    return 'object'


# entry of the data set files: stream of pictures, name of an object, whether there are masks (exact ones)
IMAGE_ENTRIES = dict(
    coco_train=('coco', shape, True), objects365_train=('objects365', lambda obj: obj.sized_name, False),
    bdd_det_train=('bdd_det', shape, False), uvo_frames_train=('uvo_frames', nameless, True),
    sa1b_2m_train=('sa1b', nameless, False))
# entry: stream of videos, sampler, name of an object
VIDEO_ENTRIES = dict(
    ytvis19_frames_train=('ytvis19', USUAL, shape), ytvis21_frames_train=('ytvis21', USUAL, shape),
    ovis_frames_train=('ovis', OCCLUDING, shape))


@pytest.fixture(scope='module')
def read(world, tmp_path_factory):
    """What a reader says of every image of a data set entry."""
    config = load('glee_r50_stage3', tmp_path_factory.mktemp('work'), data_root=f'{world}/')

    def read(entry):
        dataset = DATASETS.build(dict(config[entry], pipeline=[], cache_dir=None))
        return [dataset.get_data_info(index) for index in range(len(dataset))]

    return read


def objects_of(info):
    """(name, corners) of every object."""
    return [(info['text'][one['bbox_label']], tuple(one['bbox'])) for one in info['instances']]


def masks_of(info):
    """Bool (N, H, W)."""
    rles = []
    for one in info['instances']:
        mask = one['mask']
        if isinstance(mask, list):
            mask = mask_utils.merge(mask_utils.frPyObjects(mask, info['height'], info['width']))
        rles.append(mask)
    return mask_utils.decode(rles).transpose(2, 0, 1).astype(bool)


def corners(box):
    x, y, width, height = box
    return x, y, x + width, y + height


@pytest.mark.parametrize('entry', IMAGE_ENTRIES)
def test_images_are_read_as_they_were_drawn(read, entry):
    stream, name, masks = IMAGE_ENTRIES[entry]
    sampler = SceneSampler(counts=CROWDED) if stream == 'sa1b' else None
    pictures = list(take_pictures(f'{stream}_train', SEED, IMAGES, 1, 1, sampler))
    infos = read(entry)
    assert len(infos) == len(pictures) == IMAGES
    for info, picture in zip(infos, pictures):
        scene = picture.scene
        assert (info['height'], info['width']) == (scene.height, scene.width)
        assert objects_of(info) == [(name(seen.obj), corners(seen.bbox)) for seen in picture.objects]
        if masks:
            assert np.array_equal(masks_of(info), list(visible_masks(scene.objects, scene.height, scene.width)))


@pytest.mark.parametrize('entry', VIDEO_ENTRIES)
def test_frames_are_read_as_they_were_drawn(read, entry):
    stream, sampler, name = VIDEO_ENTRIES[entry]
    infos = iter(read(entry))
    for video in film_videos(f'{stream}_train', SEED, VIDEOS, 1, 1, sampler):
        for frame in range(video.length):
            seen = [(track, track.glimpses[frame]) for track in video.tracks if track.glimpses[frame]]
            if not seen:  # readers leave out training images without an object
                continue
            info = next(infos)
            assert (info['video_id'], info['frame_id']) == (video.video_id, frame)
            assert objects_of(info) == [(name(track.obj), corners(glimpse.bbox)) for track, glimpse in seen]
            assert [one['instance_id'] for one in info['instances']] == [track.ann_id for track, _ in seen]
            assert np.array_equal(masks_of(info), [glimpse.mask for _, glimpse in seen])
    assert next(infos, None) is None


def test_sentences_are_read_as_they_were_said(read):
    said = [(picture.image_id, sentence, corners(picture.objects[referral.target].bbox))
            for dataset in ('refcoco', 'refcoco+', 'refcocog')
            for picture in take_pictures('coco_train', SEED, IMAGES)
            for referral in refer(picture, dataset, 'mixed') for sentence in referral.sentences]
    found = []
    for info in read('refcoco_mixed_train'):
        image = int(info['img_path'].rsplit('_', 1)[1].split('.')[0])
        found += [(image, info['text'][one['bbox_label']], tuple(one['bbox'])) for one in info['instances']]
    assert sorted(found) == sorted(said) and len(found) > 30


def imported(path):
    """Modules that a file imports, as absolute names."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else ()
            module = '.'.join((*base, *filter(None, [node.module])))
            yield from (f'{module}.{alias.name}' for alias in node.names)


def test_miniworld_and_the_product_do_not_import_each_other():
    """What writes the files must not share a mistake with what reads them."""
    product, world = 'projects.glee', 'projects.glee.miniworld'
    files = {path: set(imported(path)) for path in (ROOT / 'projects/glee').rglob('*.py')}
    for path, modules in files.items():
        inside = path.is_relative_to(ROOT / 'projects/glee/miniworld')
        assert not {name for name in modules if name.startswith(product) and name.startswith(world) != inside}, path
    assert sum(path.is_relative_to(ROOT / 'projects/glee/miniworld/formats') for path in files) > 15
