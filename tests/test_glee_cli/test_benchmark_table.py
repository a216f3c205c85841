"""The table of benchmarks: its configs exist, it has every number of the paper and no other, the page is its own."""
import shlex
from argparse import ArgumentParser, Namespace

import pytest
import yaml
from paths import CONFIGS, ROOT

from projects.glee_cli.benchmark import SIZES, SUITES, expected_numbers, read_benchmarks, select
from projects.glee_cli.benchmark.page import benchmarks_page
from projects.glee_cli.benchmark.suite import TABLE
from projects.glee_cli.configs import config_file
from projects.glee_cli.configs.leave_out import leave_out
from projects.glee_cli.exits import ConfigError

BENCHMARKS = read_benchmarks()
CONTENT = yaml.safe_load(TABLE.read_text())
PAPER = [model for model in yaml.safe_load((CONFIGS / 'metafile.yml').read_text())['Models']
         if not model['Metadata']['Numbers'].startswith('measured')]


def load(config, command=''):
    """The config of a training with the end of a command line of tools/train.py."""
    parser = ArgumentParser()
    config_file.add_common_arguments(parser)
    parser.add_argument('--without', nargs='+', default=[])
    args = parser.parse_args([str(CONFIGS / config), *shlex.split(command)])
    cfg = config_file.load_config(args)
    if args.without:
        leave_out(cfg, args.without)
    return cfg


def test_names_suites_and_configs():
    names = [benchmark.name for benchmark in BENCHMARKS]
    assert len(set(names)) == len(names)
    assert {suite for benchmark in BENCHMARKS for suite in benchmark.suites} == set(SUITES)
    for benchmark in BENCHMARKS:
        for size in SIZES:
            if size != 'mini' or benchmark.mini:
                assert benchmark.config_of(size).is_file(), benchmark.config_of(size)
        assert (len(benchmark.numbers) == len({number.key for number in benchmark.numbers}) > 0) and benchmark.licence


def test_every_test_config_of_a_folder_is_a_benchmark():
    """But those that train, and what is ours alone."""
    used = {benchmark.config_of(size).name for benchmark in BENCHMARKS for size in ('r50', 'swin-l', 'eva02-l')}
    others = {path.name for folder in ('image', 'video', 'interactive') for path in (CONFIGS / folder).glob('*.py')}
    assert all(any(word in name for word in ('few-shot', 'trajectories', 'rollout')) for name in others - used)


def test_suites_have_what_their_names_say():
    assert [benchmark.name for benchmark in select(BENCHMARKS, 'odinw13')] == ['odinw13']
    assert all(benchmark.mini for benchmark in select(BENCHMARKS, 'smoke'))
    assert {benchmark.name for benchmark in BENCHMARKS if not benchmark.mini} == {'ovis-finetuned'}
    for benchmark in BENCHMARKS:
        told = any(expected_numbers(benchmark, size) for size in SIZES)
        assert ('paper' in benchmark.suites) == told or benchmark.suites == (), benchmark.name
    assert [benchmark.name for benchmark in select(BENCHMARKS, 'video', ['ovis-finetuned'])] == ['ovis-finetuned']
    with pytest.raises(ConfigError, match='--only coco: choose from coco-val, coco-test-dev, lvis,'):
        select(BENCHMARKS, 'image', ['coco'])


def test_every_number_of_the_paper_is_in_the_table_once():
    """And the table asks for none that the paper lacks."""
    told = {}
    for model in PAPER:
        stage = 3 if model['Name'].endswith('_stage3') else 2
        for result in model['Results']:
            if result['Task'] != 'Few-Shot Object Detection':
                for name, value in result['Metrics'].items():
                    told[model['Metadata']['Size'], stage, result['Task'], result['Dataset'], name] = value
    found = {}
    for benchmark in BENCHMARKS:
        for size, called in SIZES.items():
            for stage in (2, 3):
                numbers = expected_numbers(benchmark, size, stage)
                for number in benchmark.numbers_of(size):
                    if number.key in numbers and numbers[number.key][1] == stage:
                        found[called, stage, number.task, benchmark.title, number.name] = numbers[number.key][0]
        if benchmark.suites:
            asked = {number.key for number in benchmark.numbers if number.task}
            assert asked == {key for size in SIZES for key in expected_numbers(benchmark, size)}
    assert found == told and len(told) > 150


def test_stages():
    omnilabel, = select(BENCHMARKS, '', ['omnilabel'])
    coco, = select(BENCHMARKS, '', ['coco-val'])
    assert expected_numbers(omnilabel, 'r50', 2)['omnilabel/AP'] == (20.3, 2)
    assert expected_numbers(omnilabel, 'r50', 3)['omnilabel/AP'] == (22.7, 3)
    assert expected_numbers(coco, 'r50', 3)['coco/bbox_mAP'] == (55.0, 2)
    assert expected_numbers(coco, 'mini', 2) == {}


@pytest.fixture(scope='module')
def page():
    return benchmarks_page()


def test_few_shots_of_the_paper_are_trainings(page):
    told = {(result['Dataset'], float(value)) for model in PAPER for result in model['Results']
            if result['Task'] == 'Few-Shot Object Detection' for value in result['Metrics'].values()}
    training = CONTENT['trainings'][-1]
    assert {name for name, _ in told} == {key['dataset'] for key in training['keys'].values()}
    assert all(f'| {value:.1f}' in page for _, value in told)


@pytest.mark.parametrize('training', CONTENT['trainings'], ids=lambda training: training['title'])
def test_trainings_differ_by_one_key(training):
    """Every command is accepted by the config and changes what it says."""
    as_it_stands = load(training['config'])
    for name, key in training['keys'].items() if 'tool' not in training else ():
        cfg = load(training['config'], key['command'])
        same = cfg.to_dict() == as_it_stands.to_dict()
        assert same == ('as it stands' in name), name
        assert len(key.get('paper', [])) in (0, len(training['columns']))


def test_keys_of_ablations():
    by_title = {training['title']: training for training in CONTENT['trainings']}

    def changed(title, name):
        training = by_title[title]
        return load(training['config'], training['keys'][name]['command'])

    for name in ('frozen', 'unfrozen'):
        cfg = changed('Text encoder and video frames', f'CLIP {name}')
        assert cfg.model.panoptic_head.text_encoder.mode == name
    cfg = changed('Text encoder and video frames', 'without video frames')
    kept = [dataset.pipeline[0].source for dataset in cfg.train_dataloader.dataset.datasets]
    assert not {'ytvis19', 'ytvis21', 'ovis'} & set(kept)
    assert len(kept) == 12 == len(cfg.train_dataloader.sampler.ratios)
    assert changed('Contrastive loss of tracking', 'without').model.panoptic_head.loss_selector == dict(
        type='DynamicLossSelector', disable=['tracking'])
    assert changed('Template of a visual prompt', 'without').model.panoptic_head.prompter.with_template is False
    assert changed('Data scaling', '10 %').train_dataloader.sampler.share == 0.1


def test_the_page_is_current(page):
    assert (ROOT / 'docs/benchmarks.md').read_text() == page, 'run tools/misc/benchmarks_page.py'


def test_a_size_without_a_small_config_is_refused():
    fine_tuned, = select(BENCHMARKS, '', ['ovis-finetuned'])
    with pytest.raises(ConfigError, match='benchmark ovis-finetuned has no config of the small model'):
        fine_tuned.config_of('mini')


def test_options_of_the_table_fit_their_configs():
    for benchmark in BENCHMARKS:
        if benchmark.options or benchmark.smoke:
            for size in ('r50', 'mini'):
                config_file.load_config(Namespace(
                    config=str(benchmark.config_of(size)), launcher='none', work_dir=None, local_rank=0,
                    cfg_options={**benchmark.options, **(benchmark.smoke if size == 'mini' else {})}))
