"""The index of models: its package reads it, its files exist, the page has its numbers, its names are models."""
import re
from pathlib import Path

import pytest
import yaml
from mmdet.apis import DetInferencer as StockInferencer
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from modelindex.load_model_index import load
from paths import CONFIGS, ROOT

from projects.glee.apis import DetInferencer
from projects.glee.apis.model_names import METAFILE, config_of, names_of, read_models
from projects.glee.apis.picture_geometry import PictureGeometry

CONTENT = yaml.safe_load(METAFILE.read_text())
MODELS = CONTENT['Models']
README = (CONFIGS / 'README.md').read_text()


def numbers_of(model):
    return {float(value) for result in model['Results'] for value in result['Metrics'].values()}


def test_the_package_of_such_files_finds_no_error():
    assert yaml.safe_load((ROOT / 'model-index.yml').read_text()) == dict(Import=['configs/glee/metafile.yml'])
    index = load(str(ROOT / 'model-index.yml'))
    assert index.check(silent=True) == []
    assert [model.name for model in index.models] == [model['Name'] for model in MODELS]


def test_every_model_belongs_to_the_collection_and_has_a_config_and_numbers_with_a_source():
    collection, = CONTENT['Collections']
    assert (ROOT / collection['Code']).is_file() and (METAFILE.parent / collection['README']).is_file()
    names = [name for model in MODELS for name in (model['Name'], model.get('Alias')) if name]
    assert len(set(names)) == len(names)
    for model in MODELS:
        config = ROOT / model['Config']
        assert model['In Collection'] == collection['Name'] and config.is_file() and config.stem == model['Name']
        assert re.match(r'(paper|supplement), .*; ours not yet measured$|measured, docs/results.md; ',
                        model['Metadata']['Numbers'])
        assert numbers_of(model) and all(0 <= number <= 100 for number in numbers_of(model))


def test_the_page_has_every_model_and_no_other_number():
    rows = re.findall(r'^\| \[(\S+)\]\((\S+\.py)\) (.*)$', README, re.MULTILINE)
    models = {model['Name']: model for model in MODELS}
    assert {name for name, _, _ in rows} == set(models)
    for name, path, cells in rows:
        assert (CONFIGS / path).samefile(ROOT / models[name]['Config'])
        told = {float(number) for number in re.findall(r'\d+\.\d+', cells.replace('P@0.5', ''))}
        assert told and told <= numbers_of(models[name]), name
    for name in ('glee_r50_stage2', 'glee_r50_burst', 'glee_swin-l_ovis'):  # whose numbers are all there
        told = {float(n) for row, _, cells in rows if row == name for n in re.findall(r'\d+\.\d+', cells)}
        columns = {float(value) for result in models[name]['Results'] if result['Dataset'] in ('OmniLabel', 'ODinW-13')
                   for key, value in result['Metrics'].items() if key not in ('AP', 'box AP')}
        assert numbers_of(models[name]) - columns <= told


@pytest.mark.parametrize('field, expected', [('Parameters', [127272261, 295528761, 399604293])])
def test_sizes_are_those_of_the_page_of_complexity(field, expected):
    page = (ROOT / 'docs/complexity.md').read_text()
    found = sorted({model['Metadata'][field] for model in MODELS if field in model['Metadata']})
    assert found == expected and all(f'{number:,}' in page for number in found)


@pytest.mark.parametrize('alias, config', [
    ('glee_r50', 'glee_r50_stage3'), ('glee_swin-l', 'glee_swin-l_stage3'), ('glee_eva02-l', 'glee_eva02-l_stage3'),
    ('glee_mini', 'mini/glee_mini_coco'), ('glee_r50_ovis', 'video/glee_r50_ovis')])
def test_names_are_configs_that_test(alias, config):
    cfg = config_of(alias)
    assert cfg.filename == str(CONFIGS / f'{config}.py')
    PictureGeometry.of_config(cfg)


def test_mmengines_own_functions_find_index_and_configs():
    folder = Path(BaseInferencer._get_repo_or_mim_dir('projects.glee'))
    models = list(BaseInferencer._get_models_from_metafile(str(folder)))
    assert models == MODELS and len(models) > 30
    assert all((folder / model['Config']).samefile(ROOT / model['Config']) for model in models)


def test_mmdets_inferencer_takes_every_name_of_ours_and_of_mmdet(monkeypatch):
    inferencer = DetInferencer.__new__(DetInferencer)
    inferencer.scope = 'mmdet'
    with monkeypatch.context() as patch:
        patch.setattr('mmengine.config.Config.fromfile', lambda path: path)
        patch.setattr('projects.glee.apis.model_names.read_models', lambda: MODELS)  # once, not for every name
        for model in MODELS:
            for name in names_of(model):
                assert inferencer._load_model_from_metafile(name) == (ROOT / model['Config'], None)
    config, weights = inferencer._load_model_from_metafile('rtmdet-s')
    assert config.model.type == 'RTMDet' and weights.startswith('https://download.openmmlab.com')
    with pytest.raises(ValueError, match='Cannot find model: glee_r51 in mmdet'):
        inferencer._load_model_from_metafile('glee_r51')


def test_the_stock_class_knows_no_scope_but_those_of_mmengine():
    """Why there is a class of ours."""
    inferencer = StockInferencer.__new__(StockInferencer)
    inferencer.scope = 'projects.glee'
    with pytest.raises(AssertionError, match='valid scope'):
        inferencer._load_model_from_metafile('glee_mini')


def test_configs_and_files_are_models_and_anything_else_names_the_short_names(tmp_path):
    cfg = Config(dict(model=None))
    assert config_of(cfg) is cfg
    (tmp_path / 'own.py').write_text('a = 1')
    assert config_of(tmp_path / 'own.py').a == config_of(str(tmp_path / 'own.py')).a == 1
    with pytest.raises(FileNotFoundError, match="'glee_r51' is neither a config file nor one of the names glee_r50, "
                                                r'glee_swin-l, glee_eva02-l, glee_mini and those of configs'):
        config_of('glee_r51')


def test_without_the_metafile_files_are_models(tmp_path, monkeypatch):
    monkeypatch.setattr('projects.glee.apis.model_names.METAFILE', tmp_path / 'metafile.yml')
    assert read_models() == []
    with pytest.raises(FileNotFoundError, match="model 'glee_r50' is no config file"):
        config_of('glee_r50')
