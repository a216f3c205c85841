"""A language model on the command line: --ask of pictures and of videos."""
import json

import cv2
import pytest
import torch
from mini_model import mini_config
from mmdet.registry import MODELS
from mmengine.config import Config
from paths import config_file
from toy_llm import LLAVA, PICTURES, sample_of

from projects.glee.apis import GLEEInferencer
from projects.glee.apis.init_model import init_model
from projects.glee.llm.adapter_folder import save_adapter
from projects.glee.llm.object_encoder import ObjectEncoder
from projects.glee_cli.exits import OK, WRONG_USE
from projects.glee_cli.program import main

QUESTION = 'Can you segment the red square in this image ?'


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A picture, three frames, and a mini GLEE with a language model over it."""
    folder = tmp_path_factory.mktemp('asked')
    torch.manual_seed(0)
    cfg = Config.fromfile(config_file('glee_mini_coco'))
    cfg.model = mini_config()
    cfg.model.panoptic_head.num_queries = 10
    cfg.dump(str(folder / 'small.py'))
    glee = init_model(cfg)
    torch.save(dict(state_dict=glee.state_dict()), folder / 'mini.pth')
    settings = dict(type='ReasoningSegmentor', language_model=LLAVA, num_objects=4)
    model = MODELS.build(dict(settings, glee=ObjectEncoder.of_model(glee, ('star', 'ring'), 6)))
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 3e-3)
    for _ in range(40):  # until it says its sentence
        loss = sum(model.train()([[PICTURES[0]]], [sample_of(PICTURES[0], 'red')], 'loss').values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    save_adapter(model, folder / 'adapter', settings)
    (folder / 'frames').mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f'frames/{number}.png'), PICTURES[0][..., ::-1])
    return folder


def words(folder):
    """Of the model, for a command line."""
    return ['--model', str(folder / 'small.py'), '--weights', str(folder / 'mini.pth'), '--device', 'cpu',
            '--language-model', str(folder / 'adapter')]


def test_a_picture_is_asked(files, tmp_path, capsys):
    assert main(['predict', str(files / 'frames/0.png'), '--ask', QUESTION, *words(files), '--out',
                 str(tmp_path / 'out'), '--json', str(tmp_path / 'out.json')]) == OK
    said = capsys.readouterr().out
    alone = GLEEInferencer(str(files / 'small.py'), files / 'mini.pth', 'cpu', language_model=files / 'adapter')(
        files / 'frames/0.png', ask=QUESTION)[0]
    entry, = json.loads((tmp_path / 'out.json').read_text())
    assert entry == alone.to_dict() and entry['text'] == 'Sure, it is [SEG].' and len(entry['objects']) == 1
    assert said.startswith('Sure, it is [SEG].\n') and (tmp_path / 'out/0.jpg').is_file()


def test_a_video_is_asked(files, tmp_path, capsys):
    assert main(['track', str(files / 'frames'), '--ask', QUESTION, *words(files), '--out', str(tmp_path / 'a.mp4'),
                 '--json', str(tmp_path / 'a.json')]) == OK
    assert capsys.readouterr().out.strip().startswith('3 frames, ') and (tmp_path / 'a.mp4').is_file()


def test_a_question_and_a_model_go_together(files, capsys):
    for given, message in ((['--ask', QUESTION], '--ask needs --language-model FOLDER'),
                           (['--language-model', str(files / 'adapter'), '--names', 'star'], 'the other way round'),
                           (['--ask', QUESTION, '--language-model', 'nowhere'], '--language-model nowhere: no such')):
        for command, source in (('predict', 'frames/0.png'), ('track', 'frames')):
            assert main([command, str(files / source), *given, '--weights', 'none.pth']) == WRONG_USE
            assert message in capsys.readouterr().err
