"""Entries of the data set files in a user's config of a few lines, each of which runs."""
import json

import numpy as np
import pytest
import torch
from config_runs import load_file
from mmdet.registry import DATASETS
from mmengine.runner import Runner
from paths import ROOT, config_file
from tool_runner import run_tool

from projects.glee.datasets.video import PNGTreeDataset
from projects.glee.engine.runner import run_config
from projects.glee.miniworld.formats.vos import UNSEEN

CONFIG = """
_base_ = ['{root}/configs/glee/mini/glee_mini_{base}.py']

data_root = 'data/'
test_dataloader = dict(dataset=dict(_delete_=True, **_base_.{entry}))
test_evaluator = dict(_delete_=True, **_base_.{metric})
"""
UVO = 'UVO/annotations/VideoDenseSet/UVO_video_val_dense_objectlabel.json'
# entry: config, metric, its number, format, and for the checker: result file, annotation file or folder of the frames
ENTRIES = dict(
    ytvis21_val=('ytvis', 'ytvis_metric', 'ytvis/AP', 'vis', '.zip', 'ytvis_2021/annotations/instances_val_sub.json'),
    uvo_val=('ytvis', 'uvo_metric', 'uvo/AP', 'vis', '.zip', UVO),
    mose_val=('vos', 'mose_metric', 'mose/J&F', 'vos', '', 'mose/val/JPEGImages'),
    ytvos_val=('vos', 'ytvos_metric', 'ytvos/G', 'vos', '', 'ytbvos18/val/JPEGImages'),
    ref_davis_val=('rvos', 'ref_davis_metric', 'ref_davis/J&F', 'ref_davis', '', 'ref-davis/DAVIS/JPEGImages/480p'),
    mevis_val=('rvos', 'mevis_metric', 'mevis/J&F', 'rvos', '', 'mevis/valid_u/JPEGImages'))
METAS = dict(ref_davis_val='ref-davis/meta_expressions/valid/meta_expressions.json',
             mevis_val='mevis/valid_u/meta_expressions.json')


def run_entry(entry, world, tmp_path):
    """Numbers of the example config of docs/video.md, with pictures of 64 px."""
    base, metric = ENTRIES[entry][:2]
    (tmp_path / 'mine.py').write_text(CONFIG.format(root=ROOT, base=base, entry=entry, metric=metric))
    cfg = load_file(tmp_path / 'mine.py', world, tmp_path, outfile_prefix=f'{tmp_path}/out',
                    **{'PillowResize.scale': (10000, 64)})
    return run_config.build_runner(cfg).test()


@pytest.mark.parametrize('entry', [
    pytest.param(entry, marks=[pytest.mark.slow] if entry in METAS else []) for entry in ENTRIES])
def test_an_entry_of_the_test_files_gives_its_metric_and_a_valid_file(entry, world, tmp_path, capsys):
    """Swapped into a config by the lines of docs/video.md; the checker is the program."""
    number, kind, suffix, place = ENTRIES[entry][2:]
    numbers = run_entry(entry, world, tmp_path)
    assert -1 <= numbers[number] <= 1
    if entry == 'ytvos_val':
        parts = [numbers[f'ytvos/{key}'] for key in ('Js', 'Fs', 'Ju', 'Fu')]
        assert len(numbers) == 5 and numbers['ytvos/G'] == pytest.approx(np.mean(parts))
    options = ['--truth', world / place] if kind == 'vis' else ['--frames', world / place]
    if entry in METAS:
        options += ['--truth', world / METAS[entry]]
    with pytest.raises(SystemExit) as end:
        run_tool('analysis_tools/check_results.py', kind, f'{tmp_path}/out{suffix}', *options)
    assert end.value.code == 0, capsys.readouterr().err
    assert 'all valid' in capsys.readouterr().out


def test_unseen_objects_are_those_of_categories_that_the_training_split_lacks(world, tmp_path):
    """MiniWorld's meta.json has the shape of every object; in this world only one of UNSEEN is new in val."""
    dataset = DATASETS.build(load_file(config_file('glee_r50_vos'), world, tmp_path).ytvos_val)
    assert dataset.unseen_categories == {'crescent'} <= set(UNSEEN)
    objects = json.loads((world / 'ytbvos18/val/meta.json').read_text())['videos']
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)['video_info']
        expected = [int(key) for key, obj in objects[info['name']]['objects'].items() if obj['category'] in UNSEEN]
        assert [info['object_numbers'][str(identity)] for identity in info['unseen']] == expected
    options = dict(data_root='x', data_prefix=dict(img='', ann=''), pipeline=[])
    with pytest.raises(ValueError, match='train_meta_file'):
        PNGTreeDataset(train_meta_file='meta.json', **options)


TRAINING = """
_base_ = ['{root}/configs/glee/mini/glee_mini_clips.py', '{root}/configs/glee/_base_/datasets/pseudo_clips.py']

data_root = 'data/'
train_dataloader = dict(
    dataset=dict(datasets=[_base_.ytvos_train, _base_.{entry}]), sampler=dict(ratios=[1, 1000]))
"""
# source, label table, probability of a prompt; whether a tenth of the prompts is box 5%, point 95% (DESIGN section 5)
CLIPS = dict(ytvis21_train=('ytvis21', 'ytvis21', 0.0, False), uvo_train=('uvo_video', 'uvo', 0.0, True),
             mevis_train=('mevis', 'object', 0.0, False), coco_clips=('coco', 'coco', 1.0, True),
             lvis_clips=('lvis', 'obj365', 1.0, True), sa1b_clips=('sa1b', 'object', 1.0, True))


@pytest.mark.parametrize('entry', CLIPS)
def test_an_entry_of_the_training_files_gives_a_batch_with_losses(entry, world, tmp_path):
    """Two clips of two frames beside another source, by the lines of docs/video.md, through the network."""
    (tmp_path / 'mine.py').write_text(TRAINING.format(root=ROOT, entry=entry))
    cfg = load_file(tmp_path / 'mine.py', world, tmp_path, **{'RandomChoiceResize.scales': [(64, 10000)]})
    source, table, prompt_prob, by_click = CLIPS[entry]
    batch = next(iter(Runner.build_dataloader(cfg.train_dataloader, seed=0)))
    frames = [frame for clip in batch['data_samples'] for frame in clip.video_data_samples]
    assert len(frames) == 4 and {len(clip) for clip in batch['inputs']} == {2}
    assert all((frame.source, frame.label_table, frame.get('prompt_prob', 0.0)) == (source, table, prompt_prob)
               for frame in frames)
    assert all('track' in frame.supervision and len(frame.gt_instances.instances_ids) == len(frame.gt_instances.masks)
               for frame in frames)
    kinds = pytest.approx(dict(mask=0.9, box=0.1 * 0.05, point=0.1 * 0.95)) if by_click else None
    assert all(frame.get('prompt_kinds') == kinds for frame in frames)
    if prompt_prob:  # frames are two augmentations of one image, objects numbered alike
        for clip in batch['data_samples']:
            first, second = clip.video_data_samples
            assert first.img_path == second.img_path and len(first.gt_instances) > 0
            assert first.gt_instances.instances_ids.tolist() == second.gt_instances.instances_ids.tolist()
            assert 0 < first.gt_instances.instances_ids.max() <= 30
    model = Runner.build_model(None, cfg.model)
    batch = model.data_preprocessor(batch, True)
    losses = model.train()(**batch, mode='loss')
    values = {key: sum(torch.as_tensor(value).sum() for value in (values if isinstance(values, list) else [values]))
              for key, values in losses.items()}
    assert all(torch.isfinite(value) for value in values.values())
    assert (values['loss_track'] > 0) == (prompt_prob == 0)  # prompted clips have no tracking loss
    prompted = ['prompts' in frame for clip in batch['data_samples'] for frame in clip.video_data_samples]
    assert prompted == [bool(prompt_prob), False] * 2  # in the first frame
