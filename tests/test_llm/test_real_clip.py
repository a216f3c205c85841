"""A question through a film of the real world, where a developer has one, with random weights: all but the sense."""
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mini_model import mini_config
from mmdet.registry import MODELS
from mmengine.config import Config
from paths import config_file
from toy_llm import LLAVA
from toy_video_llm import talkative

from projects.glee.apis import GLEEInferencer
from projects.glee.apis.init_model import init_model
from projects.glee.llm.object_encoder import ObjectEncoder

NAMES = ('car', 'person', 'tree')


@pytest.fixture(scope='module')
def film(tmp_path_factory):
    """Six frames of a clip of DAVIS as mp4."""
    folder = Path(os.environ.get('GLEE_REAL_DATA', ''), 'davis/JPEGImages/480p/car-shadow')
    if not os.environ.get('GLEE_REAL_DATA') or not folder.is_dir():
        pytest.skip('the clip car-shadow of DAVIS is not in $GLEE_REAL_DATA/davis')
    path = tmp_path_factory.mktemp('film') / 'film.mp4'
    frames = [cv2.imread(str(one)) for one in sorted(folder.glob('*.jpg'))[:6]]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, frames[0].shape[1::-1])
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


@pytest.fixture(scope='module')
def glee(tmp_path_factory):
    """A mini GLEE and a small language model of videos over it, both with random weights."""
    folder = tmp_path_factory.mktemp('glee')
    torch.manual_seed(0)
    cfg = Config.fromfile(config_file('glee_mini_coco'))
    cfg.model = mini_config()
    cfg.model.panoptic_head.num_queries = 10
    cfg.dump(str(folder / 'small.py'))
    torch.save(dict(state_dict=init_model(cfg).state_dict()), folder / 'mini.pth')
    inferencer = GLEEInferencer(str(folder / 'small.py'), folder / 'mini.pth', 'cpu')
    inferencer.language_model = talkative(MODELS.build(dict(
        type='VideoReasoningSegmentor', glee=ObjectEncoder.of_model(inferencer.model, NAMES, 6), num_objects=4,
        language_model=LLAVA, memory=dict(width=16, layers=1, heads=2))).eval())
    return inferencer


def test_a_film_is_asked(film, glee, tmp_path):
    results = list(glee.track(film, ask=['the one that moves', 'the one that stays']))
    assert [result.frame for result in results] == list(range(6))
    for result in results:
        count = len(result)
        assert result.shape == (480, 854) and set(result.names) <= {*NAMES, 'object'}
        assert result.text.count('[SEG]') == count and result.segs.tolist() == list(range(1, count + 1))
        for mask, box, identity in zip(result.masks, result.boxes, result.ids):
            ys, xs = np.nonzero(mask)
            assert box.tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1] and identity in (1, 2)
    assert any(len(result) for result in results)
    glee.track(film, ask='the one that moves').save(tmp_path / 'out.mp4', json=tmp_path / 'out.json',
                                                    show_progress=False)
    assert json.loads((tmp_path / 'out.json').read_text())
    written = cv2.VideoCapture(str(tmp_path / 'out.mp4'))
    assert int(written.get(cv2.CAP_PROP_FRAME_COUNT)) == 6


def test_a_film_has_a_dialogue(film, glee):
    dialogue = glee.open_video_dialogue(film)
    first = dialogue.ask('the one that moves')
    assert [result.frame for result in first] == list(range(6)) and len(dialogue.objects) == 1
    if dialogue.objects[0] is None:
        with pytest.raises(ValueError, match='GLEE has no object with that mask'):
            dialogue.ask('left of {1}')
    else:
        assert len(dialogue.ask('left of {1}')) == 6
