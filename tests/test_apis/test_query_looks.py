"""Where queries look: with offsets of zero every point is the centre of the query's box."""
import numpy as np
import pytest
import torch
from config_runs import load
from mmdet.registry import MODELS

from projects.glee.apis import InteractiveSession
from projects.glee.apis.query_looks import draw_looks, look_of_queries

NAMES = ('star', 'ring', 'heart')


@pytest.fixture
def session(tmp_path):
    torch.manual_seed(0)
    model = MODELS.build(load('glee_mini_coco', tmp_path).model).eval()
    model.init_weights()  # the box head starts at zero: boxes are the reference points
    torch.nn.init.normal_(model.panoptic_head.decoder.layers[-1].cross_attn.attention_weights.weight)
    session = InteractiveSession(model, scale=(160, 10000))
    session.set_image(np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8))
    return session


def test_points_lie_where_the_offsets_say(session):
    attention = session.model.panoptic_head.decoder.layers[-1].cross_attn
    torch.nn.init.zeros_(attention.sampling_offsets.weight)
    torch.nn.init.zeros_(attention.sampling_offsets.bias)
    looks = look_of_queries(session, NAMES, 4)
    assert len(looks) == 4 and [look.score for look in looks] == sorted((look.score for look in looks), reverse=True)
    for look in looks:
        centre = (look.box[:2] + look.box[2:]) / 2
        assert np.abs(look.points - centre).max() < 1e-3 and look.name in NAMES
        assert look.weights.sum() == pytest.approx(attention.num_heads, rel=1e-5)

    # half a box to the right: an offset of num_points is half of a side (Deformable DETR, section A.2)
    attention.sampling_offsets.bias.data.view(-1, 2)[:, 0] = attention.num_points
    for look in look_of_queries(session, NAMES, 4):
        middle_right = look.box[2], (look.box[1] + look.box[3]) / 2
        assert np.abs(look.points - middle_right).max() < 1e-3


def test_the_strongest_points_are_drawn(session):
    looks = look_of_queries(session, NAMES, 2)
    picture = np.full((90, 120, 3), 255, np.uint8)
    drawn = draw_looks(picture, looks)
    assert drawn.shape[2] == 3 and not session.model.panoptic_head.decoder.layers[-1].cross_attn._forward_pre_hooks
    assert (drawn != 255).any(-1).mean() > 0.002
