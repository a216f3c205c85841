"""ReVOS and ReasonVOS in their official layouts, read to values worked out by hand."""
import shutil

import numpy as np
import pytest
from image_files import save_image
from logs import captured_log
from paths import FORMATS
from PIL import Image
from rle import rle
from video_feed import feed, read_videos

from projects.glee.datasets.video import ReasonVOSDataset, ReVOSDataset
from projects.glee.evaluation.metrics import ReasonVOSMetric, ReVOSMetric
from projects.glee.structures import Track
from projects.glee.structures.masks import decode

H, W = 4, 6


def box_mask(y1, y2, x1, x2):
    mask = np.zeros((H, W), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


CAR, VAN, LATER_VAN = box_mask(0, 2, 0, 3), box_mask(2, 4, 3, 6), box_mask(2, 4, 0, 6)


def revos(tmp_path, **options):
    shutil.copytree(FORMATS / 'revos', tmp_path, dirs_exist_ok=True)
    return ReVOSDataset(data_root=f'{tmp_path}/', ann_file='meta_expressions_valid_.json', mask_file='mask_dict.json',
                        data_prefix=dict(img='JPEGImages/'), **{'pipeline': [], 'test_mode': True, **options})


def test_revos_has_types_and_a_foreground(tmp_path):
    [video] = read_videos(revos(tmp_path, foreground_file='mask_dict_foreground.json'))
    assert video.text == ('the parked car', 'which vehicles could be towed?', 'the elephant')
    assert [(row['type_id'], row['object_ids']) for row in video.info['expressions']] == [
        (0, [1]), (1, [1, 2]), (2, [])]
    assert video.frames[1]['img_path'] == f'{tmp_path}/JPEGImages/TAO/street_7/frame0031.jpg'
    assert np.array_equal(decode(video.frames[0]['foreground']), CAR | VAN)
    assert np.array_equal(decode(video.frames[1]['foreground']), np.ones((H, W)))
    assert len(video.annotated) == 2


def test_revos_numbers_by_hand(tmp_path):
    """The car found as wide as the picture in frame 0 and a pixel in frame 1; both vehicles found as they are."""
    [video] = read_videos(revos(tmp_path))
    pixel = box_mask(0, 1, 0, 1)
    video.tracks = [Track(1, 0, 1., [rle(box_mask(0, 2, 0, 6)), rle(pixel)], [None] * 2),
                    Track(2, 1, 1., [rle(CAR | VAN), rle(LATER_VAN)], [None] * 2)]
    metric = ReVOSMetric()
    feed(metric, [video])
    found = metric.evaluate(1)
    assert found['revos/reasoning_J'] == found['revos/reasoning_A'] == found['revos/reasoning_R'] == 1
    assert found['revos/referring_J'] == (6 / 12 + 0) / 2
    assert found['revos/referring_A'] == pytest.approx(round((18 / 24 + 23 / 24) / 2, 4))
    # the foreground is car and van, 12 px in each frame, of which 6 and 1 are wrong
    assert found['revos/referring_R'] == pytest.approx(round((1 - 6 / 12 + 1 - 1 / 12) / 2, 4))
    assert found['revos/J'] == (1 + 0.25) / 2
    whole = ReVOSMetric()
    video.frames[1]['foreground'] = rle(np.ones((H, W), np.uint8))
    feed(whole, [video])
    assert whole.evaluate(1)['revos/referring_R'] == pytest.approx(round((1 - 6 / 12 + 1 - 1 / 24) / 2, 4))


def test_a_broken_foreground_is_named(tmp_path):
    revos(tmp_path)
    (tmp_path / 'short.json').write_text('{"TAO/street_7": {"masks_rle": [null]}}')
    with captured_log() as messages:
        [video] = read_videos(revos(tmp_path, foreground_file='short.json'))
    assert any('video without a foreground for each frame' in m and 'TAO/street_7' in m for m in messages)
    assert video.frames[0]['foreground'] is None


def test_revos_trains_with_objects_alone(tmp_path):
    """A sentence about nothing is an expression without objects, as the file has it."""
    record = revos(tmp_path, test_mode=False).get_data_info(0)
    assert [row['object_ids'] for row in record['video_info']['expressions']] == [[1], [1, 2], []]


def reason_vos(tmp_path):
    shutil.copytree(FORMATS / 'reason_vos', tmp_path, dirs_exist_ok=True)
    for name in ('00000', '00001'):
        save_image(tmp_path / f'JPEGImages/0a1b/{name}.jpg', W, H)
    masks = {'mose_0a1b_1': dict.fromkeys(('00000', '00001'), CAR), 'mose_0a1b_2': {'00001': VAN}}
    for folder, frames in masks.items():
        (tmp_path / 'Annotations' / folder).mkdir(parents=True, exist_ok=True)
        for name, mask in frames.items():
            Image.fromarray(mask * 255).save(tmp_path / 'Annotations' / folder / f'{name}.png')
    return ReasonVOSDataset(data_root=f'{tmp_path}/', ann_file='meta_expressions.json', pipeline=[], test_mode=True,
                            data_prefix=dict(img='JPEGImages/', ann='Annotations/'))


def test_reason_vos_reads_a_folder_per_object(tmp_path):
    with captured_log() as messages:
        [video] = read_videos(reason_vos(tmp_path))
    assert any('whose first frame cannot be read: 1 (first: video lost)' in m for m in messages)
    assert video.text == ('Who is going to win?', 'the one that follows', 'the leader')
    assert [(row['exp_id'], row['object_ids']) for row in video.info['expressions']] == [
        ('0', [1]), ('1', [2]), ('1_again', [1])]
    assert [[row['instance_id'] for row in frame['instances']] for frame in video.frames] == [[1], [1, 2]]
    assert np.array_equal(decode(video.frames[1]['instances'][1]['mask']), VAN)


def test_reason_vos_leaves_out_videos_without_tracks(tmp_path):
    """The winner is found, the follower is not, the leader has no track."""
    [video] = read_videos(reason_vos(tmp_path))
    [other] = read_videos(reason_vos(tmp_path))
    other.info = dict(other.info, video_id=2, name='other')
    video.tracks = [Track(1, 0, 1., [rle(CAR)] * 2, [None] * 2), Track(2, 1, 1., [None, rle(CAR)], [None] * 2)]
    metric = ReasonVOSMetric(outfile_prefix=str(tmp_path / 'out'))
    feed(metric, [video, other])
    with captured_log() as messages:
        found = metric.evaluate(1)
    assert any('1 of 2 videos have no track and are left out' in m for m in messages)
    assert found['reason_vos/J'] == (1 + (1 + 0) / 2 + 0) / 3  # in frame 0 nobody follows, and nobody is found
    assert np.array(Image.open(tmp_path / 'out/0a1b/0/00001.png')).max() == 255
