"""From which frame an expression is followed: what scorers learn from, learn, and say (G5)."""
import json

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, METRICS
from toy_llm import picture_of
from toy_video_llm import FILM, talkative, toy_video

import projects.glee.llm  # noqa: F401
from projects.glee.llm.data.ask_picture import pack
from projects.glee.llm.video import GLEEKeyFrames, LanguageKeyFrames
from projects.glee.llm.video.key_frames import build_scorer, reference_frames, score_turns
from projects.glee.structures.masks import decode, encode, to_rle
from projects.glee.structures.track import Track

SHOWN, HIDDEN = picture_of(('red', 4, 4), ('blue', 30, 18)), picture_of(('blue', 30, 4))


def test_the_language_model_learns_which_frames_show_it():
    model = toy_video(memory=None)
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 3e-3, weight_decay=0.)
    pairs = [(SHOWN, 0.9), (HIDDEN, 0.1)]
    inputs = [[SHOWN, HIDDEN, frame] for frame, _ in pairs]
    samples = [pack(pictures, score_turns('red square', 2), [], [], frame_scores=[iou], said=[])['data_samples']
               for pictures, (_, iou) in zip(inputs, pairs)]
    first = None
    for _ in range(150):
        losses = model.train()(inputs, samples, 'loss')
        assert set(losses) == {'loss_text', 'loss_score'}
        first = first or float(losses['loss_text'].detach())
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    assert float(losses['loss_text'].detach()) < 0.1 * first  # [SCORE] is said, too
    scores = LanguageKeyFrames(model.eval())([SHOWN, HIDDEN], 'red square')
    assert scores == pytest.approx([0.9, 0.1], abs=0.1)


@pytest.mark.parametrize('length, shown, asked, frames', [
    (9, 3, 0, [0, 4, 8]), (9, 3, 3, [0, 3, 8]), (9, 3, 7, [0, 4, 7]), (2, 12, 1, [0, 1]), (1, 12, 0, [0])])
def test_the_asked_frame_is_one_of_those_shown_before(length, shown, asked, frames):
    assert reference_frames(length, shown, asked) == frames


def test_labels_of_a_model_become_dialogues(world, tmp_path):
    settings = dict(
        type='MetaExpressionsDataset', data_root=f'{world}/mevis/train/', ann_file='meta_expressions.json',
        mask_file='mask_dict.json', data_prefix=dict(img='JPEGImages/'))
    dataset = DATASETS.build(dict(settings, test_mode=True, pipeline=[dict(type='ShowVideo')]))
    sample = dataset[0]['data_samples']
    name, expressions = sample[0].video_info['name'], sample[0].video_info['expressions']
    height, width = sample[0].ori_shape
    whole = encode(np.ones((height, width), bool))
    sample.pred_tracks = [Track(1, 0, 1., [whole] * len(sample), [[0, 0, width, height]] * len(sample))]
    metric = METRICS.build(dict(type='FrameIoUMetric', labels_file=str(tmp_path / 'new/labels.json')))
    metric.process({}, [sample.to_dict()])
    assert metric.evaluate(1)['rvos/J'] < 1
    labels = json.loads((tmp_path / 'new/labels.json').read_text())
    assert set(labels) == {f'{name}_{one["exp_id"]}' for one in expressions}
    shares = []
    for frame in sample:  # a mask of everything has the share of the target as its IoU
        target = np.zeros((height, width), bool)
        for one in frame.instances:
            if one['instance_id'] in expressions[0]['object_ids']:
                target |= decode(to_rle(one['mask'], height, width)).astype(bool)
        shares.append(target.mean())
    found, *others = (labels[f'{name}_{one["exp_id"]}'] for one in expressions)
    assert found == pytest.approx(shares) and all(set(ious) == {0.} for ious in others)
    training = DATASETS.build(dict(settings, pipeline=[
        dict(type='AskKeyFrame', labels=str(tmp_path / 'new/labels.json'), shown=3)]))
    np.random.seed(1)
    item, = training.prepare_data(0)
    asked, turn = item['data_samples'], item['data_samples'].turns[0]
    assert len(item['inputs']) == 4 and turn.asked[:4] == (0, 1, 2, 3) and turn.answer == '[SCORE]'
    assert any(asked.frame_scores[0] in ious for ious in labels.values())
    ask, labels = training.pipeline.transforms[0], json.loads((tmp_path / 'new/labels.json').read_text())
    ask.least_spread, ask._labels = 0.1, None
    assert set(ask.labels) == {key for key, ious in labels.items() if max(ious) - min(ious) >= 0.1} < set(labels)
    ask.least_spread, ask._labels = 2., None
    assert not ask.labels and training.prepare_data(0) is None
    other = training.get_data_info(1)['video_info']['name']
    assert other != name and training.prepare_data(1) is None  # no label


def test_scorers_of_a_config(tmp_path):
    model = talkative(toy_video())
    (tmp_path / 'keys.json').write_text('{"film_7": 2}')
    assert build_scorer(model, 'file', path=tmp_path / 'keys.json')(FILM, 'x', ('film', '7'))[2] == 1.
    assert isinstance(build_scorer(model, 'llm', shown=2), LanguageKeyFrames)
    assert build_scorer(model, 'glee').encoder is model.glee
    with pytest.raises(ValueError, match="key_frames.kind='best' must be 'glee', 'llm' or 'file'"):
        build_scorer(model, 'best')


def test_glee_is_surest_where_query_and_mask_agree():
    """Probability of the best query times the stability of its mask."""

    class Head:
        def encode_expressions(self, texts):
            return type('Text', (), dict(embeds=torch.zeros(1, 16)))

        def name_logits(self, queries, text):
            return torch.tensor([[0., 2., -1.]])[:, :queries.shape[1], None]

    encoder = toy_video().glee
    encoder.__dict__['model'] = type('Model', (), dict(panoptic_head=Head()))()
    frames = [picture_of(('red', 4, 4), ('blue', 30, 18)), picture_of(('red', 4, 4))]
    scores = GLEEKeyFrames(encoder)(frames, 'the blue one')
    wanted = []
    for frame, best, logit in zip(frames, (1, 0), (2., 0.)):
        found = encoder(frame)
        mask = (found.mask_embeds[best] @ found.pixels.flatten(1)).numpy()
        wanted.append((mask > 1).sum() / (mask > -1).sum() / (1 + np.exp(-logit)))
    assert scores == pytest.approx(wanted, rel=1e-5)
