"""mmengine's runner, loops and hooks train a config of ours on a stock data set."""
import copy
import importlib.util

import pytest
import torch
from logs import captured_log
from mmdet.registry import HOOKS, METRICS
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.runner import Runner
from paths import config_file
from stock_files import NAMES, coco

from projects.glee.apis import GLEEInferencer
from projects.glee.engine.runner.run_config import build_runner

VALUES = [0.1, 0.3, 0.2, 0.25, 0.9]


@METRICS.register_module(force=True)
class ScriptedMetric(BaseMetric):
    """Counts the pictures and gives ``VALUES``, one after the other."""
    default_prefix = 'scripted'
    evaluations = 0

    def process(self, data_batch, data_samples):
        self.results += [len(sample['pred_instances']['scores']) for sample in data_samples]

    def compute_metrics(self, results):
        self.evaluations += 1
        return dict(mAP=VALUES[self.evaluations - 1], pictures=len(results))


@HOOKS.register_module(force=True)
class WatchWeights(Hook):
    """Keeps the weights after each iteration, and what the first validation works with."""
    priority = 'LOWEST'
    watched = 'panoptic_head.box_head.layers.0.weight'

    def __init__(self):
        self.trained, self.validated = [], None

    def before_train(self, runner):
        self.trained.append(self._weight(runner))

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.trained.append(self._weight(runner))

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self.validated is None:
            encoder = runner.model.panoptic_head.text_encoder
            self.validated = self._weight(runner), encoder(NAMES).pooled, copy.deepcopy(encoder)(NAMES).pooled

    def _weight(self, runner):
        return runner.model.get_parameter(self.watched).detach().clone()


def config(root, loop, by_epoch, **hooks):
    cfg = Config.fromfile(config_file('glee_mini_coco'))
    cfg.model.panoptic_head.num_queries = 10
    loader = dict(batch_size=1, num_workers=0, dataset=coco(root))
    sampler = dict(type='DefaultSampler' if by_epoch else 'InfiniteSampler', shuffle=True)
    cfg.train_dataloader = dict(loader, sampler=sampler)
    cfg.val_dataloader = dict(loader, sampler=dict(type='DefaultSampler', shuffle=False))
    cfg.train_cfg, cfg.val_cfg, cfg.val_evaluator = loop, dict(type='ValLoop'), dict(type='ScriptedMetric')
    cfg.test_dataloader = cfg.test_evaluator = cfg.test_cfg = None
    cfg.optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3))
    cfg.param_scheduler = [dict(type='MultiStepLR', by_epoch=by_epoch, milestones=[2], gamma=0.1)]
    cfg.work_dir = str(root / 'work')
    cfg.default_hooks.checkpoint = dict(
        type=hooks.get('saver', 'CheckpointHook'), interval=1, by_epoch=by_epoch, max_keep_ckpts=1,
        save_best='scripted/mAP', rule='greater')
    cfg.custom_hooks = [
        dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.3),
        dict(type='EarlyStoppingHook', monitor='scripted/mAP', rule='greater', patience=2),
        dict(type='WatchWeights'), *hooks.get('more', [])]
    return cfg


def check_run(runner, best):
    """What hooks did, in numbers: best weights, the average of the weights, the stop after two worse values."""
    watch, = (hook for hook in runner.hooks if isinstance(hook, WatchWeights))
    work = runner.work_dir
    saved = torch.load(f'{work}/{best}', map_location='cpu', weights_only=False)
    rates = runner.message_hub.log_scalars['train/lr'].data[0]
    assert rates[0] == pytest.approx(1e-3) and rates[-1] == pytest.approx(1e-4)
    count = saved['meta']['iter']
    mean = watch.trained[1]  # mmengine's average begins after the first iteration
    for number in range(2, count + 1):
        mean = 0.7 * mean + 0.3 * watch.trained[number]
    assert not torch.equal(watch.trained[0], watch.trained[1])
    torch.testing.assert_close(saved['state_dict'][watch.watched], mean, atol=1e-6, rtol=0)
    assert torch.equal(saved['ema_state_dict'][f'module.{watch.watched}'], watch.trained[count])
    weight, features, expected = watch.validated
    assert not torch.equal(weight, watch.trained[2]) and torch.equal(features, expected)
    return saved


def test_epochs_with_average_early_stop_and_best_weights(tmp_path):
    cfg = config(tmp_path, dict(type='EpochBasedTrainLoop', max_epochs=5, val_interval=1), by_epoch=True)
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert (runner.epoch, runner.iter) == (4, 8)  # 0.3 of the second epoch is not passed by the next two
    assert runner.message_hub.log_scalars['val/scripted/pictures'].current() == 2
    names = sorted(path.name for path in (tmp_path / 'work').glob('*.pth'))
    assert names == ['best_scripted_mAP_epoch_2.pth', 'epoch_4.pth']
    saved = check_run(runner, names[0])
    cfg = Config.fromfile(config_file('glee_mini_coco'))
    cfg.model.panoptic_head.num_queries = 10
    model = GLEEInferencer(cfg, f'{runner.work_dir}/{names[0]}', 'cpu').model
    for name, value in model.state_dict().items():
        assert torch.equal(value, saved['state_dict'][name]), name


def test_iterations_with_our_runner_and_hooks(tmp_path):
    more = [dict(type=name) for name in ('ExactResumeHook', 'NaNLossHook', 'StopSignalHook')]
    cfg = config(tmp_path, dict(type='IterBasedTrainLoop', max_iters=10, val_interval=2), by_epoch=False,
                 saver='DurableCheckpointHook', more=more)
    runner = build_runner(cfg)
    runner.train()
    assert runner.iter == 8
    names = sorted(path.name for path in (tmp_path / 'work').glob('*.pth'))
    assert names == ['best_scripted_mAP_iter_4.pth', 'iter_8.pth']
    check_run(runner, names[0])


def test_epochs_resume_with_our_runner_and_hooks(tmp_path):
    def run(work, saver, **keys):
        cfg = config(tmp_path, dict(type='EpochBasedTrainLoop', max_epochs=2, val_interval=9), by_epoch=True)
        cfg.default_hooks.checkpoint = dict(type=saver, interval=1, by_epoch=saver == 'CheckpointHook')
        cfg.custom_hooks, cfg.work_dir = [dict(type='ExactResumeHook'), dict(type='NaNLossHook')], str(tmp_path / work)
        cfg.param_scheduler[0].milestones = [1]
        cfg.merge_from_dict(keys)
        runner = build_runner(cfg)
        with captured_log() as messages:
            weights = runner.train().state_dict()
        assert any('begins its epoch anew' in message for message in messages) == (saver != 'CheckpointHook')
        return runner.iter, weights
    iterations, whole = run('whole', 'CheckpointHook')
    resumed_iterations, resumed = run(
        'resumed', 'DurableCheckpointHook', resume=True, load_from=str(tmp_path / 'whole/epoch_1.pth'))
    assert iterations == resumed_iterations == 4
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


@pytest.mark.skipif(importlib.util.find_spec('tensorboard') is None, reason='tensorboard is not installed')
def test_tensorboard_writes_the_losses(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    cfg = config(tmp_path, dict(type='IterBasedTrainLoop', max_iters=1, val_interval=9), by_epoch=False)
    cfg.visualizer.vis_backends = [dict(type='TensorboardVisBackend')]
    cfg.default_hooks.logger.interval, cfg.custom_hooks = 1, []
    Runner.from_cfg(cfg).train()
    folder, = (tmp_path / 'work').glob('*/vis_data')
    events = EventAccumulator(str(folder))
    events.Reload()
    assert events.Scalars('loss')[0].value > 0 and {'loss_cls', 'loss_mask', 'lr'} <= set(events.Tags()['scalars'])
