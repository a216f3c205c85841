"""Videos of look-alikes that pass each other, against what their frames show."""
import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils

from projects.glee.miniworld import MiniWorldError
from projects.glee.miniworld.reasoning_world import build_reasoning_world


@pytest.fixture(scope='module')
def films(tmp_path_factory):
    """Folder of six training videos and one to test on."""
    root = tmp_path_factory.mktemp('films')
    build_reasoning_world(root, 0, 0, seed=3, videos=6, val_videos=1, video_sets=('look_alikes', ))
    return root / 'look_alikes'


def test_two_alike_pass_each_other(films):
    meta = json.loads((films / 'train/meta_expressions.json').read_text())['videos']
    masks = {key: [mask_utils.decode(rle).astype(bool) for rle in rles]
             for key, rles in json.loads((films / 'train/mask_dict.json').read_text()).items()}
    assert len(meta) == 6 and len(masks) == 12
    tops, swapped = set(), set()
    for name, video in meta.items():
        said = {entry['exp'].split(' that ')[1]: masks[str(entry['anno_id'][0])]
                for entry in video['expressions'].values()}
        assert len(said) == 4 and len(video['frames']) == 8
        left, right = said['starts on the left'], said['starts on the right']
        assert said['is left at first'] is left and said['is right at first'] is right
        x = np.array([[np.nonzero(mask)[1].mean() for mask in track] for track in (left, right)])
        gap = x[1] - x[0]
        assert gap[0] > 25 and gap.min() < 0  # they pass each other
        swapped.add(bool(gap[-1] < 0))
        assert not any((one & other).any() for one, other in zip(left, right))
        tops.add(bool(np.nonzero(left[0])[0].mean() < np.nonzero(right[0])[0].mean()))
        areas = [[mask.sum() for mask in track] for track in (left, right)]
        assert np.ptp(areas) <= 0.06 * np.max(areas)  # of one size in all frames
        picture = cv2.imread(str(films / f'train/JPEGImages/{name}/00000.jpg'))
        assert np.abs(picture[left[0]].mean(0) - picture[right[0]].mean(0)).max() < 8  # and colour
    assert len(list((films / 'valid_u/JPEGImages').iterdir())) == 1
    assert tops == {True, False} == swapped  # neither height nor time says which


def test_what_cannot_be_written_is_said(films):
    with pytest.raises(MiniWorldError, match='look_alikes is there already'):
        build_reasoning_world(films.parent, 0, 0, videos=1, val_videos=1)
    with pytest.raises(MiniWorldError, match='look_alikes: 2 to train and 0 to test on: each must be at least 1'):
        build_reasoning_world(films, 0, 0, videos=2)
    with pytest.raises(MiniWorldError, match='neither pictures nor videos'):
        build_reasoning_world(films, 0, 0)
