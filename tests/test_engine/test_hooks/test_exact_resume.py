"""A real runner, interrupted and resumed: bit-equal weights, no batch loaded twice."""
import random

import numpy as np
import pytest
import torch
from image_files import write_coco
from logs import captured_log
from mmdet.registry import MODELS, TRANSFORMS
from mmengine.model import BaseModel
from mmengine.runner import Runner
from pipelines import category_pipeline
from torch import nn

from projects.glee.datasets.transforms.loading import SharedCount

NAMES = tuple(f'star {i}' for i in range(12))


@MODELS.register_module()
class ToyDetector(BaseModel):
    """Uses the picture, the targets, the batch vocabulary and three kinds of random numbers."""

    def __init__(self, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.conv = nn.Sequential(nn.Conv2d(3, 4, 3, 4), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.name = nn.Embedding(len(NAMES), 4)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        feature = self.conv(inputs).mean((2, 3))
        if mode != 'loss':
            return data_samples
        names = self.name(torch.tensor([NAMES.index(n) for n in data_samples[0].text]))
        noise = torch.rand(()) + np.random.rand() + random.random()
        objects = torch.stack([s.gt_instances.bboxes.sum() / 1000 for s in data_samples])
        return dict(loss=((feature @ names.T).mean(1) - objects).square().mean() * noise)


@TRANSFORMS.register_module()
class CountSamples:
    """Passes samples on and counts them over all worker processes."""

    count = SharedCount()

    def __call__(self, results):
        self.count.increment()
        return results


def runner(root, name, workers, max_iters=8, seed=7, hooks=('ExactResumeHook', ), **kwargs):
    pipeline = category_pipeline(
        dict(type='RandomFlip', prob=0.5), dict(type='CropWindow', crop_size=(20, 40)),
        dict(type='CountSamples'))
    sources = [dict(type='TextCocoDataset', data_root=str(root / source), pipeline=pipeline,
                    serialize_data=False,  # serialising collects garbage, half a second each
                    ann_file='annotations/instances_train2017.json',
                    data_prefix=dict(img='train2017/')) for source in ('a', 'b')]
    val = dict(batch_size=1, num_workers=0, dataset=dict(sources[0], test_mode=True),
               sampler=dict(type='DefaultSampler', shuffle=True))
    return Runner(
        model=dict(type='ToyDetector',
                   data_preprocessor=dict(
                       type='GLEEDataPreprocessor', batch_augments=[dict(type='BatchVocabulary', size=5)])),
        work_dir=str(root / name), experiment_name=f'{root.name}-{name}', default_scope='mmdet',
        train_dataloader=dict(
            batch_size=2, num_workers=workers, persistent_workers=workers > 0,
            dataset=dict(type='MixtureDataset', datasets=sources),
            sampler=dict(type='MixtureSampler', ratios=[1, 2]),
            batch_sampler=dict(type='MixtureBatchSampler')),
        train_cfg=dict(by_epoch=False, max_iters=max_iters, val_interval=3),
        val_dataloader=val, val_cfg=dict(), val_evaluator=[],
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.01)),
        param_scheduler=dict(type='CosineAnnealingLR', T_max=8, by_epoch=False),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=4)),
        custom_hooks=[dict(type=hook) for hook in hooks], randomness=dict(seed=seed), **kwargs)


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    for source in 'ab':
        write_coco(tmp_path / source, NAMES, [
            [(int(c), (4 * i, 3, 12, 30)) for i, c in enumerate(rng.integers(0, 12, 3))]
            for _ in range(5)], sizes=[(64, 48), (48, 64)] * 2)
    return tmp_path


def checkpoint(path):
    return torch.load(path, weights_only=False)


@pytest.mark.parametrize('workers, seed', [(0, 7), (2, None)])
def test_resumed_equals_uninterrupted(root, workers, seed):
    runner(root, 'whole', workers, seed=seed).train()
    whole = checkpoint(root / 'whole/iter_8.pth')
    half = checkpoint(root / 'whole/iter_4.pth')
    CountSamples.count = SharedCount()
    with captured_log() as messages:
        # without a configured seed this runner starts from another one, and takes over the saved
        runner(root, 'resumed', workers, seed=seed, load_from=str(root / 'whole/iter_4.pth'),
               resume=True).train()
    resumed = checkpoint(root / 'resumed/iter_8.pth')
    for key, value in whole['state_dict'].items():
        assert torch.equal(value, resumed['state_dict'][key]), key
        assert value.dtype != torch.float32 or not torch.equal(value, half['state_dict'][key])
    for i, state in whole['optimizer']['state'].items():
        assert torch.equal(state['exp_avg_sq'], resumed['optimizer']['state'][i]['exp_avg_sq'])
    assert whole['exact_resume'] == resumed['exact_resume']
    assert not any('Fast sampler-level resume is unavailable' in m for m in messages)
    if workers == 0:  # 4 training batches of 2 and 5 validation images in each of 2 rounds
        assert CountSamples.count.value == 4 * 2 + 2 * 5


def test_without_the_hook_it_differs(root):
    """The test above can fail: dropout and the vocabulary continue from another state."""
    runner(root, 'whole', 0, hooks=()).train()
    with captured_log() as messages:
        runner(root, 'resumed', 0, hooks=('ExactResumeHook', ), resume=True,
               load_from=str(root / 'whole/iter_4.pth')).train()
    whole, resumed = (checkpoint(root / f'{n}/iter_8.pth')['state_dict'] for n in
                      ('whole', 'resumed'))
    assert not torch.equal(whole['name.weight'], resumed['name.weight'])
    assert any('without ExactResumeHook' in message for message in messages)


def test_the_checkpoint_entry_is_plain_data(root):
    runner(root, 'whole', 0, max_iters=4).train()
    entry = checkpoint(root / 'whole/iter_4.pth')['exact_resume']
    assert entry == dict(seed=7, sampler_seed=7, batch_size=[2, 2], world_size=1)
    torch.save(entry, root / 'entry.pth')
    assert torch.load(root / 'entry.pth', weights_only=True) == entry
    # fine-tuning from it is not a resume: seeds are the new run's
    tuned = runner(root, 'tuned', 0, max_iters=4, seed=9, load_from=str(root / 'whole/iter_4.pth'))
    tuned.train()
    assert checkpoint(root / 'tuned/iter_4.pth')['exact_resume']['seed'] == 9


def test_another_batch_size_is_refused_or_said(root):
    runner(root, 'whole', 0, max_iters=4).train()
    start = dict(load_from=str(root / 'whole/iter_4.pth'), resume=True, cfg=dict(resume_anyway=False))

    def resumed(**cfg):
        changed = runner(root, 'resumed', 0, **start)
        changed.cfg.update(cfg)
        changed._train_dataloader['batch_size'] = 3
        return changed

    with pytest.raises(ValueError, match=r'batch size has changed from \[2, 2\] to \[3, 3\].*--resume-anyway'):
        resumed().train()
    with captured_log() as messages:
        resumed(resume_anyway=True).train()
    assert any('data and random numbers will differ' in message for message in messages)


def test_another_number_of_processes_is_refused(root, monkeypatch):
    runner(root, 'whole', 0, max_iters=4).train()
    path = root / 'whole/iter_4.pth'
    content = checkpoint(path)
    content['exact_resume']['world_size'] = 8
    torch.save(content, path)
    with pytest.raises(ValueError, match='the number of processes has changed from 8 to 1'):
        runner(root, 'resumed', 0, load_from=str(path), resume=True).train()
    del content['exact_resume']['world_size']  # written before it was stored
    torch.save(content, path)
    runner(root, 'resumed', 0, load_from=str(path), resume=True).train()
