"""The converter scripts, run on files: what they write, report and refuse."""
import re
from argparse import ArgumentParser

import golden_recipe
import pytest
import torch
from goldens import manifest
from mmdet.models.backbones import SwinTransformer
from mmdet.registry import MODELS
from mmengine.config import DictAction
from released_files import as_mask_dino, part_of
from safetensors.torch import load_file
from tool_runner import run_tool
from toy_training import Payload

from projects.glee.engine.checkpoints import read_checkpoint
from projects.glee.engine.checkpoints.backbone_tables import revert_backbone
from projects.glee.engine.checkpoints.converter_cli import split_checkpoint
from projects.glee.engine.checkpoints.mask_dino_keys import GLEE_PARTS

SCRIPTS = ['glee_official', 'maskdino_official', 'clip_text', 'backbone', 'publish']


def convert(script, *arguments):
    run_tool(f'model_converters/{script}.py', *arguments)


def constants(shapes):
    """Tensors that hold one number each, the same for aliases; files of them are tiny."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(map(golden_recipe.canonical_key, shapes)))}
    return {key: torch.full((), float(numbers[golden_recipe.canonical_key(key)])).expand(shape)
            for key, shape in shapes.items()}


@pytest.fixture(scope='module')
def released():
    """Names and values of a released checkpoint: released('lite')."""

    def make(size):
        keys = manifest(size)['keys']
        return constants({key: entry['shape'] for key, entry in keys.items() if not golden_recipe.is_derived(key)})

    return make


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize('script', SCRIPTS)
def test_help_shows_an_example(script, capsys):
    with pytest.raises(SystemExit) as stop:
        convert(script, '--help')
    assert stop.value.code == 0
    assert f'python tools/model_converters/{script}.py ' in capsys.readouterr().out


@pytest.mark.parametrize('size', ['lite', 'plus'])
def test_glee_there_and_back(released, size, tmp_path, capsys):
    official = released(size)
    torch.save(official, tmp_path / 'official.pth')
    convert('glee_official', tmp_path / 'official.pth', tmp_path / 'new' / 'ours.pth', '--size', size,
            '--report', tmp_path / 'report.tsv')
    printed = capsys.readouterr().out
    assert '110 merged' in printed and 'predictor.decoder.norm.weight' in printed
    rows = [row.split('\t') for row in (tmp_path / 'report.tsv').read_text().splitlines()[1:]]
    assert {row[1] for row in rows if row[0] != 'added'} == official.keys()
    ours = read_checkpoint(tmp_path / 'new' / 'ours.pth')
    assert ours['meta'] == dict(source='official.pth', size=size)
    for options, unwrap in (((), dict), (('--wrapped', ), lambda c: {
            key.removeprefix('glee.'): value for key, value in c['model'].items()})):
        convert('glee_official', tmp_path / 'new' / 'ours.pth', tmp_path / 'back.pth', '--size', size, '--reverse',
                *options)
        back = unwrap(read_checkpoint(tmp_path / 'back.pth'))
        assert {key for key in back.keys() - official.keys()} == {
            key for key in back if key.endswith('relative_position_index')}
        assert same({key: back[key] for key in official}, official)


def test_training_files_of_the_original(released, tmp_path, capsys):
    official = released('lite')
    wrapped = {f'glee.{key}': value for key, value in official.items()}
    wrapped['criterion.empty_weight'] = torch.ones(2)
    torch.save(dict(model=wrapped, optimizer=dict(state={}), iteration=7), tmp_path / 'official.pth')
    torch.save(official, tmp_path / 'bare.pth')
    for name in ('official', 'bare'):
        convert('glee_official', tmp_path / f'{name}.pth', tmp_path / f'ours_{name}.pth', '--size', 'lite')
    printed = capsys.readouterr().out
    assert re.search(r'dropped +1  optimizer  \(not weights\)', printed)
    assert re.search(r'dropped +1  criterion\.empty_weight  \(class weights', printed)
    assert same(*(read_checkpoint(tmp_path / f'ours_{name}.pth')['state_dict'] for name in ('official', 'bare')))


@pytest.mark.parametrize('content, message', [
    (lambda trace: dict(model=Payload(trace)), 'bad.pth was refused'),
    (lambda trace: dict(epoch=3), 'no state dict: expected tensors by name, got epoch'),
    (lambda trace: dict(model={}), 'no state dict: .* got nothing'),
    (lambda trace: dict(model={'glee.lang_projection': torch.ones(1)}),
     r'do not fit GLEE-Lite .R50.: 835 missing .*, 0 unknown'),
])
def test_bad_files_end_with_their_name(tmp_path, content, message):
    torch.save(content(tmp_path / 'executed'), tmp_path / 'bad.pth')
    with pytest.raises(SystemExit, match=rf'bad\.pth: (.|\n)*{message}'):
        convert('glee_official', tmp_path / 'bad.pth', tmp_path / 'out.pth', '--size', 'lite')
    assert not (tmp_path / 'executed').exists() and not (tmp_path / 'out.pth').exists()


def test_wrong_use_is_named(released, tmp_path, capsys):
    with pytest.raises(SystemExit, match='nowhere.pth does not exist'):
        convert('glee_official', tmp_path / 'nowhere.pth', tmp_path / 'out.pth', '--size', 'lite')
    torch.save(released('plus'), tmp_path / 'plus.pth')
    with pytest.raises(SystemExit, match="plus.pth: this looks like size 'plus', not 'pro'"):
        convert('glee_official', tmp_path / 'plus.pth', tmp_path / 'out.pth', '--size', 'pro')
    with pytest.raises(SystemExit, match='same file'):
        convert('glee_official', tmp_path / 'plus.pth', tmp_path / 'plus.pth', '--size', 'plus')
    with pytest.raises(SystemExit):
        convert('glee_official', tmp_path / 'plus.pth', tmp_path / 'out.pth', '--size', 'plus', '--wrapped')
    assert '--wrapped needs --reverse' in capsys.readouterr().err


def test_mask_dino(released, tmp_path, capsys):
    dino = as_mask_dino(released('lite'))
    torch.save(dino, tmp_path / 'dino.pth')
    convert('maskdino_official', tmp_path / 'dino.pth', tmp_path / 'start.pth', '--size', 'lite')
    printed = capsys.readouterr().out
    assert re.search(r'dropped +1  sem_seg_head\.predictor\.class_embed\.weight  \(classifier of COCO', printed)
    hint = re.search(r'--cfg-options (.*)', printed)[1].split()
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    options = parser.parse_args(['--cfg-options', *hint]).cfg_options
    assert options == dict(load_from=str(tmp_path / 'start.pth'), load_ignore=list(GLEE_PARTS))
    convert('maskdino_official', tmp_path / 'start.pth', tmp_path / 'back.pth', '--size', 'lite', '--reverse')
    dino['model'].pop('sem_seg_head.predictor.class_embed.weight')
    assert same(read_checkpoint(tmp_path / 'back.pth')['model'], dino['model'])


@pytest.fixture
def clip_folder(released, tmp_path):
    """A Hugging Face folder of the whole CLIP."""
    text = part_of(released('lite'), 'text_encoder.')
    rest = {'vision_model.embeddings.class_embedding': torch.ones(8), 'text_projection.weight': torch.ones(2, 2),
            'visual_projection.weight': torch.ones(2), 'logit_scale': torch.ones(()),
            'text_model.embeddings.position_ids': torch.arange(77)[None]}
    (tmp_path / 'clip').mkdir()
    torch.save({**text, **rest}, tmp_path / 'clip' / 'pytorch_model.bin')
    return tmp_path / 'clip', text


def test_clip_text_is_what_the_encoder_loads(clip_folder, tmp_path, capsys):
    folder, text = clip_folder
    convert('clip_text', folder, tmp_path / 'text.pth')
    assert '5 dropped' in capsys.readouterr().out
    encoder = MODELS.build(dict(type='CLIPTextEncoder', mode='frozen', checkpoint=str(tmp_path / 'text.pth')))
    encoder.init_weights()
    loaded = encoder.text_model.state_dict()
    assert same({f'text_model.{key}': value for key, value in loaded.items()}, text)
    # from a whole GLEE model back to a text model
    model = {f'panoptic_head.text_encoder.text_model.{key}': value for key, value in read_checkpoint(
        tmp_path / 'text.pth').items()}
    torch.save(dict(state_dict={**model, 'backbone.conv1.weight': torch.ones(1)}), tmp_path / 'glee.pth')
    convert('clip_text', tmp_path / 'glee.pth', tmp_path / 'back.pth', '--reverse')
    assert same(read_checkpoint(tmp_path / 'back.pth'), text)
    # a text model as transformers 5 names it
    convert('clip_text', tmp_path / 'text.pth', tmp_path / 'again.pth')
    assert same(read_checkpoint(tmp_path / 'again.pth'), read_checkpoint(tmp_path / 'text.pth'))


def test_another_clip_is_refused(clip_folder, tmp_path):
    folder, text = clip_folder
    text['text_model.embeddings.token_embedding.weight'] = torch.ones(()).expand(49408, 768)
    torch.save(text, folder / 'pytorch_model.bin')
    with pytest.raises(SystemExit, match=r'shape \(49408, 768\), in the text model of CLIP ViT-B/32 it is'):
        convert('clip_text', folder, tmp_path / 'text.pth')
    (folder / 'pytorch_model.bin').unlink()
    with pytest.raises(SystemExit, match='folder without model.safetensors or pytorch_model.bin'):
        convert('clip_text', folder, tmp_path / 'text.pth')


def test_backbone_to_safetensors(tmp_path):
    """A tiny Swin, classifier included; entries that share memory are written one by one."""
    torch.manual_seed(0)
    ours = {f'backbone.{key}': value for key, value in SwinTransformer(
        embed_dims=8, depths=(2, 2, 6, 2), num_heads=(1, 1, 2, 2), window_size=3).state_dict().items()}
    theirs = revert_backbone(ours, 'swin')[0]
    theirs['norm1.bias'] = theirs['norm1.weight']
    torch.save(dict(model={**theirs, 'head.bias': torch.ones(5)}), tmp_path / 'swin.pth')
    convert('backbone', tmp_path / 'swin.pth', tmp_path / 'ours.safetensors', '--arch', 'swin')
    converted = load_file(tmp_path / 'ours.safetensors')
    convert('backbone', tmp_path / 'ours.safetensors', tmp_path / 'back.pth', '--arch', 'swin', '--reverse')
    assert same(read_checkpoint(tmp_path / 'back.pth')['model'], theirs)
    assert torch.equal(converted['backbone.norm1.bias'], theirs['norm1.weight'])
    with pytest.raises(SystemExit, match='no eva02 backbone'):
        convert('backbone', tmp_path / 'swin.pth', tmp_path / 'x.pth', '--arch', 'eva02')


def test_weights_are_found_bare_or_wrapped():
    weights = dict(a=torch.ones(1))
    assert split_checkpoint(weights) == (weights, [])
    assert split_checkpoint(dict(module=weights, step=1)) == (weights, ['step'])


def test_publish_refuses_what_is_no_checkpoint_of_a_training(tmp_path):
    torch.save(dict(state_dict={}), tmp_path / 'bare.pth')
    for source, message in (('bare.pth', 'bare.pth: no checkpoint of a training: it lacks meta'),
                            ('nowhere.pth', 'does not exist'), ('out.pth', 'the same file')):
        with pytest.raises(SystemExit, match=message):
            convert('publish', tmp_path / source, tmp_path / 'out.pth')
