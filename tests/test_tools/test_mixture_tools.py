"""Tools around the mixture: pictures of every source, shares of the sampler, speed and memory of loading."""
import importlib
import json
import sys

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS, VISUALIZERS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from paths import ROOT
from worlds import IMAGES


@pytest.fixture(scope='module')
def tools():
    sys.path.insert(0, str(ROOT / 'tools/analysis_tools'))
    yield importlib.import_module
    sys.path.pop(0)


@pytest.fixture
def run(tools, monkeypatch, capsys):
    def run(name, *arguments):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        tools(name).main()
        return capsys.readouterr().out
    return run


SMALL = ('train_dataloader.num_workers=0', 'RandomChoiceResize.scales=[(96, 10000)]', 'RandomApply.prob=0.0')


def test_browsing_shows_every_source_and_counts_the_draws(run, world, tmp_path):
    config = ROOT / 'configs/glee/glee_r50_stage1.py'
    arguments = (config, '--work-dir', tmp_path, '--samples', 2, '--cfg-options', f'data_root={world}/', *SMALL)
    out = run('browse_mixture', *arguments)
    assert '10000 draws' in out and 'objects365' in out and '0.5000' in out
    for name in ('00_objects365.jpg', '01_openimages.jpg'):
        sheet = cv2.imread(str(tmp_path / 'browse' / name))
        assert sheet.shape[1] == 960 and sheet.std() > 20
    first = (tmp_path / 'browse/00_objects365.jpg').read_bytes()
    run('browse_mixture', *arguments)
    assert (tmp_path / 'browse/00_objects365.jpg').read_bytes() == first
    with pytest.raises(SystemExit, match='intended shares'):
        run('browse_mixture', config, '--samples', 0, '--draws', 64, '--tolerance', 0, '--work-dir', tmp_path,
            '--cfg-options', f'data_root={world}/')


def test_a_picture_shows_objects_prompts_and_text(tools):
    browse = tools('browse_mixture')
    mask = np.zeros((1, 240, 480), np.uint8)
    mask[0, 100:140, 300:400] = 1
    sample = DetDataSample(metainfo=dict(
        text=('star', 'ring'), text_mode='category', source='coco', supervision=('semantic', 'box', 'mask'),
        img_shape=(240, 480)))
    sample.gt_instances = InstanceData(
        labels=torch.tensor([1]), bboxes=torch.tensor([[300., 100., 400., 140.]]), masks=BitmapMasks(mask, 240, 480))
    point = torch.zeros(1, 240, 480, dtype=torch.bool)
    point[0, 20:40, 30:60] = True
    sample.prompts = InstanceData(masks=point, kinds=['point'])
    assert browse.caption(sample) == (
        'coco: 1 objects, semantic+box+mask, category, prompt: point, 2 names: star | ring')
    preprocessor = MODELS.build(dict(type='GLEEDataPreprocessor'))
    grey = torch.full((3, 240, 480), 100.)
    inputs = (grey - preprocessor.mean) / preprocessor.std
    assert np.allclose(browse.picture(inputs, preprocessor), 100, atol=1)
    visualizer = VISUALIZERS.build(dict(type='TextLocalVisualizer', name='test_browse', min_side=0))
    drawn = browse.draw(visualizer, inputs, sample, preprocessor)
    assert drawn.shape == (240 + browse.CAPTION, 480, 3)
    content = drawn[browse.CAPTION:].astype(int)
    assert (content[20, 35:55] == 255).all() and (content[20:40, 30] == 255).all()  # outline of the prompt
    assert abs(content[60:90, 100:250] - 100).max() < 3  # nothing is drawn there
    inside = content[110:130, 330:390]
    assert (abs(inside - 100).max(-1) > 10).mean() > 0.9  # the mask is tinted
    assert abs(content[100, 310:390] - content[90, 310:390]).max() > 20  # and has a box


@pytest.mark.parametrize('workers', [0, 2])
def test_loading_of_every_source_is_timed(run, world, tmp_path, workers):
    out = run('benchmark_loading', 'sources', ROOT / 'configs/glee/glee_r50_stage1.py', '--work-dir', tmp_path,
              '--workers', workers, '--images', 8, '--cfg-options', f'data_root={world}/', *SMALL)
    rows = [line.split() for line in out.splitlines() if 'objects365' in line or 'openimages' in line]
    assert len(rows) == 2
    for row in rows:
        numbers = [float(cell) for cell in row if cell.replace('.', '').isdigit()]
        assert numbers[0] == IMAGES and len(numbers) == 4 and min(numbers) > 0


@pytest.mark.slow
def test_a_hundredth_of_objects365_takes_a_hundredth_of_the_memory(run, tmp_path):
    result = json.loads(run('benchmark_loading', 'objects365', '--fraction', 0.01, '--folder', tmp_path,
                            '--reads', 2000, '--workers', 2))
    assert result['images_in_file'] == 18173 and result['boxes'] == 265632
    assert result['images'] > 0.999 * 18173
    # 6 GB at full size: buffers of a fixed size, and what grows with the file
    assert result['peak_mb'] - result['before_mb'] < 150 + 0.01 * 5000
    assert result['worker_added_mb'] < 20
    store = next(tmp_path.glob('cache/*/records.jsonl'))
    assert sum(line.count(b'"bbox":') for line in store.open('rb')) == 265632
