"""Exported files say in ONNX Runtime what the model says, of pictures and names that they were not recorded with."""
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from config_runs import shrink_size
from matplotlib import cbook
from mini_model import build, mini_config
from mmdet.structures import DetDataSample
from paths import ROOT
from PIL import Image
from tokenizers import Tokenizer

from projects.glee.apis import GLEEInferencer, init_model
from projects.glee.apis.model_names import config_of
from projects.glee.deployment import export, export_image_model, export_text_encoder, save_tokenizer
from projects.glee.deployment.graphs import NamesGraph, SentencesGraph
from projects.glee.deployment.recording import RECORDED, record, write_onnx
from projects.glee.deployment.verification import compare, open_session
from projects.glee_cli.program import main

pytest.importorskip('onnxruntime', reason='ONNX Runtime is not installed: pip install -r requirements/export.txt')
onnx = pytest.importorskip('onnx', reason='onnx is not installed: pip install -r requirements/export.txt')
NAMES = ['person', 'military uniform', 'flag', 'tie', 'a cap with a badge']


@pytest.fixture(scope='module')
def model():
    """Every part of GLEE with as few layers as can be."""
    cfg = mini_config()
    head = cfg.panoptic_head
    head.pixel_decoder.num_layers = head.decoder.num_layers = head.text_encoder.num_hidden_layers = 1
    head.num_queries = 12
    return build(cfg).eval()


@pytest.fixture(scope='module')
def photograph():
    """A real photograph in two sides, normalised: (2, 3, 128, 192)."""
    with cbook.get_sample_data('grace_hopper.jpg') as file:
        picture = Image.open(file).convert('RGB')
    pixels = np.stack([np.asarray(one.resize((192, 128))) for one in (picture, picture.crop((100, 50, 400, 300)))])
    return ((torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 120) / 58).contiguous()


@pytest.fixture(scope='module')
def names_file(model, tmp_path_factory):
    return export_image_model(model, tmp_path_factory.mktemp('names') / 'names.onnx')


def tensor_mode(model, image, texts, mode):
    """What ``mode='tensor'`` says, as the outputs of a file."""
    size = tuple(image.shape[-2:])
    samples = [DetDataSample(metainfo=dict(text=text, text_mode=mode, batch_input_shape=size, img_shape=size,
                                           ori_shape=size)) for text in texts]
    with torch.no_grad():
        found = model(image, samples, mode='tensor')
    centre, extent = found['pred_boxes'].split(2, -1)
    found['pred_boxes'] = torch.cat([centre - extent / 2, centre + extent / 2], -1)
    keys = dict(logits='pred_logits', boxes='pred_boxes', masks='pred_masks', embeddings='embeddings',
                positions='topk_indices')
    return {name: found[key].numpy() for name, key in keys.items()}


def run(path, **inputs):
    session = open_session(path)
    outputs = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    return dict(zip([one.name for one in session.get_outputs()], outputs))


def test_names_are_inputs(model, names_file, photograph):
    with torch.no_grad():
        text = model.panoptic_head.text_encoder(NAMES)
    found = run(names_file.path, image=photograph, name_embeds=text.pooled, fusion_tokens=text.valid_tokens)
    expected = tensor_mode(model, photograph, [tuple(NAMES)] * 2, 'category')
    assert found['logits'].shape == (2, 12, len(NAMES)) and np.ptp(expected['logits']) > 0.05
    differences = compare(found, expected)
    assert set(differences) == {'logits', 'boxes', 'masks', 'embeddings'} and max(differences.values()) < 1e-3
    assert names_file.path.parent.joinpath('part.names.onnx').exists() is False


def test_an_expression_may_be_about_any_picture(model, photograph, tmp_path):
    """Three sentences about two pictures, by the text encoder's file and the sampler without GridSample."""
    written = export_image_model(model, tmp_path / 'sentences.onnx', sentences=True, sampler='gather')
    operators = {node.op_type for node in onnx.load(str(written.path)).graph.node}
    assert 'GridSample' not in operators and 'Gather' in operators
    told = ['the man in uniform', 'the flag', 'a striped tie that is below a face']
    with torch.no_grad():
        text = model.panoptic_head.text_encoder(told, pad_to_max=True)
    pictures = torch.tensor([0, 1, 1])
    found = run(written.path, image=photograph, pictures=pictures, fusion_tokens=text.tokens, valid=text.mask)
    expected = tensor_mode(model, photograph[pictures], [(text, ) for text in told], 'expression')
    assert found['logits'].shape == (3, 12, 1) and max(compare(found, expected).values()) < 1e-3


@pytest.mark.parametrize('size, sentences', [('swin-l', False), ('eva02-l', True)])
def test_plus_and_pro(size, sentences, tmp_path):
    """Few, narrow layers; a shifted window of Swin is wider than some maps, EVA02 reads squares of one side."""
    cfg = shrink_size(config_of(f'glee_{size}'), size)
    torch.manual_seed(0)
    model = init_model(cfg)
    model.panoptic_head.init_weights()
    written = export_image_model(model, tmp_path / 'model.onnx', sentences=sentences)
    session = open_session(written.path)
    settings = json.loads(session.get_modelmeta().custom_metadata_map['glee'])
    side, image = cfg.model.backbone.get('img_size'), session.get_inputs()[0].shape
    assert settings['side'] == side and image == ['batch', 3, *([side] * 2 if side else ['height', 'width'])]
    assert (side is None) == (size == 'swin-l')
    graph = (SentencesGraph if sentences else NamesGraph)(model)
    with torch.no_grad():
        inputs = graph.examples(torch.Generator().manual_seed(5), 4, 96, 288)  # a batch and sides of their own
        found = run(written.path, **dict(zip(graph.inputs, inputs)))
        expected = dict(zip(graph.outputs, (value.numpy() for value in graph(*inputs))))
    assert np.ptp(expected['logits']) > 0.005 and max(compare(found, expected).values()) < 1e-3


@pytest.mark.parametrize('padded', [False, True])
def test_text_encoder(model, padded, tmp_path):
    encoder = model.panoptic_head.text_encoder
    written = export_text_encoder(encoder, tmp_path / 'text.onnx')
    save_tokenizer(encoder, tmp_path / 'tokenizer.json')
    tokenizer = Tokenizer.from_file(str(tmp_path / 'tokenizer.json'))
    tokenizer.enable_padding(pad_id=49407, length=32 if padded else None)
    read = tokenizer.encode_batch(NAMES)
    valid = torch.tensor([one.attention_mask for one in read]).bool()
    found = run(written.path, input_ids=torch.tensor([one.ids for one in read]), valid=valid)
    with torch.no_grad():
        expected = encoder(NAMES, pad_to_max=padded)
    assert torch.equal(valid, expected.mask)
    np.testing.assert_allclose(found['embeds'], expected.pooled, atol=1e-5)
    rows = slice(None) if padded else valid.numpy()
    np.testing.assert_allclose(found['tokens'][rows], expected.tokens[rows], atol=1e-5)


def test_baked_names_and_a_broken_export(model, photograph, tmp_path, monkeypatch):
    written = export_image_model(model, tmp_path / 'baked.onnx', NAMES[:3])
    session = open_session(written.path)
    settings = json.loads(session.get_modelmeta().custom_metadata_map['glee'])
    assert settings['names'] == NAMES[:3] and [one.name for one in session.get_inputs()] == ['image']
    expected = tensor_mode(model, photograph, [tuple(NAMES[:3])] * 2, 'category')
    assert max(compare(run(written.path, image=photograph), expected).values()) < 1e-3

    def write_wrong(*args):
        """One bias of the box head is not what it was."""
        write_onnx(*args)
        content = onnx.load(str(args[2]))
        bias, = (one for one in content.graph.initializer if one.name.endswith('box_head.layers.2.bias'))
        bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + np.float32(0.02), bias.name))
        onnx.save(content, str(args[2]))

    monkeypatch.setattr(export, 'write_onnx', write_wrong)
    with pytest.raises(ValueError, match='part.wrong.onnx (differs|does not select)'):
        export_image_model(model, tmp_path / 'wrong.onnx', NAMES[:3])
    assert [path.name for path in tmp_path.iterdir()] == ['baked.onnx']


def test_a_package_of_torch(model):
    """In another batch; with the sides that it was recorded with, since any sides take minutes to record."""
    graph = SentencesGraph(model)
    program = record(graph, 'grid_sample', ('batch', 'sentences'))
    inputs = graph.examples(torch.Generator().manual_seed(7), 4, *RECORDED[1:])
    with torch.no_grad():
        found, expected = (dict(zip(graph.outputs, (value.numpy() for value in run(*inputs))))
                           for run in (program.module(), graph))
    assert max(compare(found, expected).values()) < 1e-3


def test_what_cannot_be_exported_is_said(model, tmp_path):
    with pytest.raises(ValueError, match="sampler='nearest' is unknown"):
        export_image_model(model, tmp_path / 'a.onnx', sampler='nearest')
    with pytest.raises(ValueError, match='takes no sentences'):
        export_image_model(model, tmp_path / 'a.onnx', NAMES, sentences=True)
    assert not list(tmp_path.iterdir())


def test_without_torch_the_demo_finds_what_the_inferencer_finds(tmp_path, capsys):
    """The files of ``glee export`` and the demo that reads them, on a photograph that must be resized and padded."""
    torch.manual_seed(0)
    glee = GLEEInferencer('glee_mini', device='cpu', score_thr=0.)
    glee.model.init_weights()
    torch.save(dict(state_dict=glee.model.state_dict()), tmp_path / 'weights.pth')
    assert main(['export', str(tmp_path / 'out'), '--model', 'glee_mini', '--weights', f'{tmp_path}/weights.pth']) == 0
    assert 'names.onnx' in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['names.onnx', 'text.onnx', 'tokenizer.json']
    with cbook.get_sample_data('grace_hopper.jpg') as file:
        Image.open(file).convert('RGB').save(tmp_path / 'photo.png')
    code = ('import pickle, runpy, sys; sys.modules.update(torch=None, mmdet=None, mmengine=None)\n'
            f"detect = runpy.run_path({str(ROOT / 'tools/demo/demo_onnx.py')!r})['detect']\n"
            f"pickle.dump(detect('out', 'photo.png', {NAMES!r}, score_thr=0.), open('found.pkl', 'wb'))")
    subprocess.run([sys.executable, '-c', code], cwd=tmp_path, check=True)
    found = pickle.loads((tmp_path / 'found.pkl').read_bytes())
    expected = glee(str(tmp_path / 'photo.png'), names=NAMES)[0]
    assert len(found) == len(expected) == 100
    np.testing.assert_allclose([one[0] for one in found], expected.scores, atol=1e-3)
    for box, mask in zip(expected.boxes[:20], expected.masks):  # names of a query may change places
        same = min(found, key=lambda one: np.abs(one[2] - box).sum())
        np.testing.assert_allclose(same[2], box, atol=0.05)
        assert np.mean(same[3] != mask) < 0.002
