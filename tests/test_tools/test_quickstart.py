"""The quickstart in miniature, and the collection of its results."""
import json
import os
import subprocess

import pytest
from mmengine.config import Config
from paths import ROOT
from tool_runner import run_tool

KEYS = ('coco/bbox_mAP', 'coco/bbox_mAP_50', 'coco/segm_mAP', 'lvis/bbox_AP', 'refcoco/P@0.5',
        'refcoco/attribute_P@0.5', 'refcoco/relation_P@0.5', 'refcoco/blind_P@0.5', 'panoptic/PQ',
        'interactive/point_mIoU', 'interactive/box_mIoU', 'interactive/scribble_mIoU', 'interactive/NoC@85',
        'train_minutes')
MORE_KEYS = ('interactive_memory/point_mIoU', 'interactive_memory/NoC@85', 'vos/J&F', 'rvos/J&F', 'rollout_minutes',
             'clips_minutes', 'trajectories_minutes')
LOG = '2026/01/02 {} - mmengine - INFO - {}\n'


def report(*args):
    run_tool('analysis_tools/quickstart_report.py', *args)


@pytest.mark.slow
def test_smoke_runs_every_step_once(fork_server, tmp_path):
    """Programs are forks, which start at once. A second run only collects the results again."""

    def run():
        done = subprocess.run(['bash', 'tools/quickstart.sh', '--smoke', '--seed', '3', str(tmp_path)], cwd=ROOT,
                              capture_output=True, text=True,
                              env=dict(os.environ, GLEE_PYTHON=str(fork_server.python)))
        assert done.returncode == 0, done.stderr[-3000:]
        return sorted(path for path in tmp_path.rglob('*.log'))

    logs = run()
    assert len(logs) >= 11 and run() == logs
    results = json.loads((tmp_path / 'results.json').read_text())
    assert results['mode'] == 'smoke' and not set(KEYS + MORE_KEYS) - set(results)
    for config in tmp_path.glob('smoke/*/*/vis_data/config.py'):
        if 'test_' not in str(config):
            cfg = Config.fromfile(config)
            assert cfg.randomness.seed == cfg.train_dataloader.sampler.seed == 3
    for name in ('glee_mini.pth', 'results.md', 'pictures/coco.jpg', 'pictures/refcoco.jpg'):
        assert (tmp_path / name).stat().st_size > 0


@pytest.fixture
def finished_run(tmp_path):
    """Logs of a run as mmengine writes them: training twice 30 minutes, with a break."""
    metrics = dict(coco={'coco/bbox_mAP': 0.5, 'coco/bbox_mAP_50': 0.7, 'coco/segm_mAP': 0.4},
                   lvis={'lvis/bbox_AP': 0.2},
                   refcoco={'refcoco/P@0.5': 0.6, 'refcoco/testA_P@0.5': 0.7, 'refcoco/testB_P@0.5': 0.5,
                            'refcoco/blind_P@0.5': 0.3, 'refcoco/testB_blind_P@0.5': 0.35, 'refcoco/oIoU': 0.4},
                   panoptic={'panoptic/PQ': 40.},
                   interactive={f'interactive/{key}': 1. for key in (
                       'point_mIoU', 'box_mIoU', 'scribble_mIoU', 'NoC@85')})
    for name, values in metrics.items():
        folder = tmp_path / f'run/test_{name}/20260102_030405'
        folder.mkdir(parents=True)
        (folder / '20260102_030405.json').write_text(json.dumps(values))
    for part, (start, end) in enumerate((('03:00:00', '03:30:00'), ('05:00:00', '05:30:00'))):
        folder = tmp_path / f'run/train/part{part}'
        folder.mkdir(parents=True)
        (folder / f'part{part}.log').write_text(
            LOG.format('02:00:00', 'hello') + LOG.format(start, 'Checkpoints will be saved to x.') +
            LOG.format(end, 'Iter(train) [1/2]') + LOG.format('09:00:00', 'bye'))
    for part, steps in enumerate((range(10, 110, 10), range(110, 210, 10))):
        folder = tmp_path / f'run/train/part{part}/vis_data'
        folder.mkdir()
        (folder / 'scalars.json').write_text('\n'.join(
            json.dumps(dict(loss=step / 10, off_loss=0., step=step)) for step in steps))
    (tmp_path / 'run/train/iter_2.pth').write_bytes(b'weights')
    return tmp_path


def test_results_come_from_the_logs(finished_run):
    report(finished_run / 'run', finished_run / 'out', '--mode', 'full')
    results = json.loads((finished_run / 'out/results.json').read_text())
    assert results['train_minutes'] == 60 and results['mode'] == 'full'
    # logged every 10 of 200 steps: steps 10 and 20, then 190 and 200
    assert (finished_run / 'out/losses.md').read_text().splitlines()[2:] == ['| loss | 1.500 | 19.500 | 13.00 |']
    assert results['refcoco/attribute_P@0.5'] == 0.7 and results['refcoco/relation_P@0.5'] == 0.5


def test_numbers_before_and_after_fine_tuning_have_names_of_their_own(finished_run):
    numbers = dict(memory={f'interactive/{key}': 2. for key in ('point_mIoU', 'box_mIoU', 'scribble_mIoU', 'NoC@85')},
                   tokens={'interactive/NoC@85': 3.}, forgetful={'interactive/NoC@85': 4.},
                   ytvis={'ytvis/AP': 0.1}, ytvis_finetuned={'ytvis/AP': 0.2}, ovis={'ovis/AP': 0.3},
                   ovis_finetuned={'ovis/AP': 0.4}, ovis_occlusion={'ovis/AP': 0.5},
                   ovis_occlusion_finetuned={'ovis/AP': 0.6}, vos_finetuned={'vos/J&F': 0.7},
                   rvos_finetuned={'rvos/J&F': 0.8}, rvos_trajectories={'rvos/J&F': 0.9},
                   tao_finetuned={'tao/TETA': 0.11}, burst_finetuned={'burst/HOTA': 0.12})
    for name, values in numbers.items():
        folder = finished_run / f'run/test_{name}/20260102_030405'
        folder.mkdir(parents=True)
        (folder / '20260102_030405.json').write_text(json.dumps(values))
    report(finished_run / 'run', finished_run / 'out', '--mode', 'full')
    results = json.loads((finished_run / 'out/results.json').read_text())
    videos = {key: value for key, value in results.items() if key.split('/')[0].split('_')[0] in (
        'ytvis', 'ovis', 'vos', 'rvos', 'tao', 'burst')}
    assert videos == {
        'ytvis/AP': 0.1, 'ytvis_finetuned/AP': 0.2, 'ovis/AP': 0.3, 'ovis_finetuned/AP': 0.4,
        'ovis_occlusion/AP': 0.5, 'ovis_occlusion_finetuned/AP': 0.6, 'vos/J&F': 0.7, 'rvos_looks/J&F': 0.8,
        'rvos/J&F': 0.9, 'tao/TETA': 0.11, 'burst/HOTA': 0.12}
    clicks = [results[f'interactive{kind}/NoC@85'] for kind in ('', '_memory', '_tokens', '_forgetful')]
    assert clicks == [1, 2, 3, 4]


def test_a_quick_run_never_overwrites_a_full_one(finished_run):
    run, out = finished_run / 'run', finished_run / 'out'
    report(run, out, '--mode', 'full')
    (run / 'train/iter_2.pth').write_bytes(b'other weights')
    report(run, out, '--mode', 'quick')
    assert (out / 'glee_mini.pth').read_bytes() == b'weights'
    assert json.loads((out / 'results.json').read_text())['mode'] == 'full'
    assert json.loads((run / 'results.json').read_text())['mode'] == 'quick'


def test_a_missing_number_is_named(finished_run):
    log = next((finished_run / 'run/test_lvis').glob('*/*.json'))
    log.write_text(json.dumps({'lvis/other': 1}))
    with pytest.raises(SystemExit, match='lvis/bbox_AP'):
        report(finished_run / 'run', finished_run / 'out', '--mode', 'full')
