"""What the frozen GLEE is asked for when its objects are taken (B.2)."""
import numpy as np
import pytest
import torch
from mini_model import mini_config
from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS, MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from paths import config_file
from toy_llm import LLAVA, sample_of
from toy_video_llm import talkative

import projects.glee.llm  # noqa: F401
from projects.glee.apis.init_model import init_model
from projects.glee.llm.adapter_folder import load_adapter, save_adapter
from projects.glee.llm.dialogue import PointedObject, Turn, sought_in
from projects.glee.llm.object_encoder import ObjectEncoder
from projects.glee.llm.picture_dialogue import PictureDialogue
from projects.glee.llm.video import LanguageKeyFrames, sweep

PICTURE, OTHER = (torch.randint(0, 255, (40, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(
    seed)).numpy() for seed in range(2))
SOUGHT = 'the star that is red'
BY_HAND = {'object': ('category', ['object']), 'coco': ('category', list(CocoDataset.METAINFO['classes'])),
           'expression': ('expression', [SOUGHT]), ('star', 'ring'): ('category', ['star', 'ring'])}


@pytest.fixture(scope='module')
def glee():
    """A mini GLEE with random weights and few queries, whose early fusion is as strong as a trained one's."""
    torch.manual_seed(0)
    cfg = Config.fromfile(config_file('glee_mini_coco'))
    cfg.model = mini_config()
    cfg.model.panoptic_head.num_queries = 10
    return init_model(cfg)


def segmentor(glee, prompt, kind='ReasoningSegmentor', **settings):
    torch.manual_seed(0)
    return MODELS.build(dict(type=kind, glee=ObjectEncoder.of_model(glee, prompt, 6), num_objects=4,
                             language_model=LLAVA, **settings)).eval()


@pytest.fixture(scope='module')
def by_hand(glee):
    """{prompt: the detector's own queries and boxes, the most certain first}."""
    return {prompt: found_by_hand(glee, *asked) for prompt, asked in BY_HAND.items()}


@torch.no_grad()
def found_by_hand(glee, mode, text):
    resized = ObjectEncoder.of_model(glee).geometry(PICTURE)
    sample = DetDataSample(metainfo=dict(text=tuple(text), text_mode=mode, ori_shape=PICTURE.shape[:2], img_path=None,
                                         img_shape=resized.shape))
    data = glee.data_preprocessor(dict(inputs=[resized.inputs], data_samples=[sample]), False)
    found = glee(data['inputs'], data['data_samples'], mode='tensor')
    order = found['pred_logits'][0].sigmoid().amax(1).argsort(descending=True, stable=True)
    assert tuple(data['data_samples'][0].batch_input_shape) == resized.shape  # nothing is padded
    return found['embeddings'][0, order], found['pred_boxes'][0, order]


@pytest.mark.parametrize('prompt', BY_HAND, ids=str)
def test_object_tokens_are_those_of_the_head_when_asked_by_hand(glee, by_hand, prompt):
    model = segmentor(glee, prompt)
    turns = [Turn((0, f'Can you segment {SOUGHT} in this image ?'), None, SOUGHT)]
    queries, boxes = by_hand[prompt]
    torch.nn.init.normal_(model.reader.object_projector.box[-1].weight)
    tokens, read = model.read(turns, model.see([PICTURE], sought_in(turns, 1)))
    wanted = model.reader.object_projector(queries, boxes, queries, 4)
    close = dict(atol=5e-3, rtol=1e-2)  # they are kept as float16
    torch.testing.assert_close(read.embeds[tokens.ids == model.language_model.object_id], wanted, **close)
    kept = model.glee(PICTURE, SOUGHT).queries.float()
    agree = {other: torch.allclose(kept[:4], by_hand[other][0][:4], **close) for other in BY_HAND}
    assert agree == {other: other == prompt for other in BY_HAND}


def test_the_question_is_asked_anew_and_a_name_is_not(glee):
    passes = {}
    for prompt in ('object', 'expression'):
        encoder = ObjectEncoder.of_model(glee, prompt)
        first, again = encoder(PICTURE, 'star'), encoder(PICTURE, 'star')
        assert again is first
        passes[prompt] = encoder(PICTURE, 'ring') is first
    assert passes == dict(object=True, expression=False)
    assert ObjectEncoder.of_model(glee).prompt == 'object'  # the default of B.2
    with pytest.raises(ValueError, match="asks GLEE the question about a picture, and this one has none"):
        ObjectEncoder.of_model(glee, 'expression')(PICTURE)
    with pytest.raises(ValueError, match=r"glee.prompt='names' must be 'object', 'coco', 'expression' or a list"):
        ObjectEncoder.of_model(glee, 'names')


def test_what_a_dialogue_seeks():
    point = PointedObject(*torch.zeros(3, 4))
    turns = [Turn((0, 1, 'left of', point, '?'), 'a'), Turn(('ring ?', ), 'a'), Turn((2, 'the star ?'), None, 'star')]
    assert sought_in(turns, 4) == ['left of ?', 'left of ?', 'star', '']


def record_of(encoder, monkeypatch):
    """Expressions that GLEE is asked, in order."""
    asked, original = [], encoder.encode
    monkeypatch.setattr(encoder, 'encode', lambda picture, expression: asked.append(expression) or original(
        picture, expression))
    return asked


def test_questions_reach_glee(glee, monkeypatch, world):
    model = segmentor(glee, 'expression')
    asked = record_of(model.glee, monkeypatch)
    model([[PICTURE], [OTHER]], [sample_of(PICTURE, 'red', 'blue'), sample_of(OTHER, 'white')], 'loss')
    assert asked == [f'Can you segment the {colour} square in this image ?' for colour in ('red', 'white')]
    film = segmentor(glee, 'expression', 'VideoReasoningSegmentor', memory=dict(width=16, layers=1, heads=2))
    asked = record_of(film.glee, monkeypatch)
    sweep(film, [PICTURE, OTHER], 'the star', LanguageKeyFrames(film))
    assert asked == ['the star'] * 2  # each frame once
    dataset = DATASETS.build(dict(
        type='RefCocoJsonDataset', data_root=f'{world}/', ann_file='annotations/refcoco-unc/instances_train.json',
        data_prefix=dict(img='coco/train2014/'), pipeline=[dict(type='AskReferring', max_turns=1)]))
    turn = dataset[0]['data_samples'].turns[0]
    assert turn.sought in dataset.get_data_info(0)['text'] and turn.sought != turn.asked[-1]


def test_in_a_dialogue_each_question_shows_the_picture_anew(glee, monkeypatch):
    model = talkative(segmentor(glee, 'expression', max_new_tokens=1))
    asked = record_of(model.glee, monkeypatch)
    dialogue = PictureDialogue(model, PICTURE, max_rounds=2)
    results = [dialogue.ask(question) for question in ('red ?', 'blue ?', 'white ?')]
    assert asked == ['red ?', 'blue ?', 'white ?']
    assert [turn.asked for turn in dialogue.turns] == [(1, 'blue ?'), (2, 'white ?')]
    alone = PictureDialogue(model, PICTURE)
    assert np.array_equal(alone.ask('red ?').masks, results[0].masks)
    assert set(results[0].names) == {'object'} and len(alone.seen.objects) == 1
    usual = PictureDialogue(talkative(segmentor(glee, 'object', max_new_tokens=1)), PICTURE)
    usual.ask('red ?')
    usual.ask('blue ?')
    assert len(usual.seen.objects) == 1 and [turn.asked[0] for turn in usual.turns] == [0, 'blue ?']


def test_a_folder_knows_what_glee_was_asked(glee, tmp_path):
    settings = dict(type='ReasoningSegmentor', language_model=LLAVA, num_objects=4)
    save_adapter(segmentor(glee, 'expression'), tmp_path, settings)
    assert load_adapter(tmp_path, glee).glee.asks_expressions
