"""Videos of objects that stop, set off, never rest or never move, against what their frames show."""
import hashlib
import json

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from projects.glee.miniworld import MiniWorldError
from projects.glee.miniworld.reasoning_world import build_reasoning_world
from projects.glee.miniworld.world.motion import MOTIONS
from projects.glee.miniworld.world.pictures import STREAMS
from projects.glee.miniworld.world.scene import SceneObject
from projects.glee.miniworld.world.stop_and_go import LEAST, SAYINGS, pace_of
from projects.glee.miniworld.world.video import film_videos
from projects.glee.miniworld.world.video_scene import VideoSampler

AT_FIRST_AND_AT_LAST = {'stop': (True, False), 'start': (False, True), 'go': (True, True), 'still': (False, False)}


@pytest.fixture(scope='module')
def films(tmp_path_factory):
    """Folder of eight training videos and one to test on."""
    root = tmp_path_factory.mktemp('films')
    build_reasoning_world(root, 0, 0, seed=3, videos=8, val_videos=1, video_sets=('stop_and_go', ))
    return root / 'stop_and_go'


def test_every_sentence_means_the_one_object_that_moves_so(films):
    """Steps of the centres of the masks, which are whole numbers of pixels."""
    content = json.loads((films / 'train/mask_dict.json').read_text())
    masks = {key: np.array([mask_utils.decode(rle).astype(bool) for rle in rles]) for key, rles in content.items()}
    videos, asked = json.loads((films / 'train/meta_expressions.json').read_text())['videos'], set()
    assert len(videos) == 8 and len(masks) == 24
    for video in videos.values():
        expressions = list(video['expressions'].values())
        tracks = {str(one['anno_id'][0]) for one in expressions}
        assert len(tracks) == 3 and len(expressions) == 6 and all(len(one['anno_id']) == 1 for one in expressions)
        moves = {}
        for track in tracks:
            assert np.ptp(masks[track].sum((1, 2))) <= 0.1 * masks[track].sum((1, 2)).max()  # whole in all frames
            centres = np.array([np.argwhere(mask).mean(0) for mask in masks[track]])
            steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
            assert ((steps < 1) | (steps > 2.5)).all()
            moves[track] = (steps > 2.5).tolist()
            assert sum(one != other for one, other in zip(moves[track], moves[track][1:])) <= 1  # changes once at most
            assert min(moves[track].count(kind) for kind in set(moves[track])) >= LEAST
        for one in expressions:
            pace = next(pace for pace, said in SAYINGS.items() if one['exp'] in said)
            fits = [track for track, moved in moves.items() if (moved[0], moved[-1]) == AT_FIRST_AND_AT_LAST[pace]]
            assert fits == [str(one['anno_id'][0])]
            asked.add(one['exp'])
    assert len(asked) == 8 and len({said for sayings in SAYINGS.values() for said in sayings}) == 8
    with pytest.raises(MiniWorldError, match=r"unknown \['run'\], choose from look_alikes, stop_and_go"):
        build_reasoning_world(films, 0, 0, videos=1, val_videos=1, video_sets=['run'])


@pytest.mark.parametrize('places, pace', [
    ([0, 9, 18, 27, 27, 27, 27], 'stop'), ([0, 0, 0, 0, 9, 18, 27], 'start'), ([0, 9, 18, 27], 'go'),
    ([5] * 4, 'still'), ([0, 9, 18, 18, 18, 18], None), ([0, 9, 18, 27, 27, 27], None),
    ([0, 9, 18, 27, 28, 28, 28], None), ([0, 9, 18, 27, 27, 27, 27, 36, 45, 54], None)])
def test_what_is_not_clear_is_not_said(places, pace):
    """Too short a movement or rest, a step that one may see or not, a rest on the way."""
    assert pace_of([SceneObject('star', 'red', 'solid', 'small', 20., float(x), 0., 0., 1.) for x in places]) == pace


def test_older_worlds_stay_as_they_were():
    """Their streams come first, and their samplers draw from the same motions: numbers of a world of before."""
    assert STREAMS['odinw_mushrooms_val'] == 62 and STREAMS['reason_vos_val'] == 68 == STREAMS['stop_and_go_train'] - 1
    assert list(MOTIONS) == ['still', 'left', 'right', 'up', 'down', 'grow', 'shrink', 'turn', 'leave', 'enter',
                             'come back']
    video, = film_videos('mevis_train', 5, 1, 1, 1, VideoSampler())
    drawn = hashlib.sha256(repr([(track.motion, track.poses) for track in video.tracks]).encode()).hexdigest()
    assert drawn[:16] == '182bc23f4d6fd5f0'
