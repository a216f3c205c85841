"""Checkpoints that survive a stop at any moment."""
import logging
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from mmdet.registry import HOOKS
from mmengine.dist import barrier, is_main_process, master_only
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..checkpoints.durable_files import list_checkpoints, number_of, remove_parts, replacing


@HOOKS.register_module()
class DurableCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook`` that never has fewer good files than before, whenever it is killed.

    A checkpoint is complete under its name or not there (``StrictRunner.save_checkpoint``), and older ones, best
    ones too, are removed after it only. ``last_checkpoint`` names it relative to the work folder, which may be moved.
    If the disk is full, one line says so, what is there stays, and the next interval tries again; only at the end of
    training is that an error. Checkpoints in the folder that this training has yet to reach, as another one has left
    them, are moved aside before it starts. A loop by epochs resumes rightly from ``CheckpointHook`` alone, and is told.

    Args:
        interval (int): iterations between checkpoints; -1: none.
        by_epoch (bool): False; resuming is exact between iterations only.
        save_optimizer (bool), save_param_scheduler (bool): what resuming needs.
        out_dir (str | None): folder of checkpoints, if not the work folder; its last level is added.
        max_keep_ckpts (int): newest checkpoints to keep; -1: all.
        save_last (bool): also after the last iteration.
        save_best (str | list[str] | None): values of a validation whose best weights are kept as well.
        rule (str | list[str] | None): 'greater' or 'less', for ``save_best``.
        greater_keys, less_keys (Sequence[str] | None): parts of names by which the rule is guessed.
        published_keys (str | list[str] | None): also write, after training, files with these entries only.
        save_begin (int): no checkpoint before this iteration.

    Raises:
        ValueError: ``by_epoch`` is True.
    """

    def __init__(self,
                 interval: int = -1,
                 by_epoch: bool = False,
                 save_optimizer: bool = True,
                 save_param_scheduler: bool = True,
                 out_dir: str | None = None,
                 max_keep_ckpts: int = -1,
                 save_last: bool = True,
                 save_best: str | list[str] | None = None,
                 rule: str | list[str] | None = None,
                 greater_keys: Sequence[str] | None = None,
                 less_keys: Sequence[str] | None = None,
                 published_keys: str | list[str] | None = None,
                 save_begin: int = 0) -> None:
        if by_epoch:
            raise ValueError('DurableCheckpointHook counts iterations: set by_epoch=False, or use CheckpointHook')
        super().__init__(
            interval=interval, by_epoch=by_epoch, save_optimizer=save_optimizer,
            save_param_scheduler=save_param_scheduler, out_dir=out_dir, max_keep_ckpts=max_keep_ckpts,
            save_last=save_last, save_best=save_best, rule=rule, greater_keys=greater_keys, less_keys=less_keys,
            published_keys=published_keys, save_begin=save_begin)
        self.keep_ckpt_ids: deque[int] = deque()
        self.saved_iter: int | None = None
        self._failed = False

    def before_train(self, runner: Runner) -> None:
        """Prepare the folder; checkpoints that a killed training had yet to remove go now."""
        super().before_train(runner)
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            print_log('DurableCheckpointHook counts iterations: a training by epochs that is resumed begins its epoch '
                      'anew; use CheckpointHook with by_epoch=True', logger='current', level=logging.WARNING)
        self.keep_ckpt_ids = deque(self.keep_ckpt_ids)
        if self.save_best:  # the folder may have been moved
            self._set_best({key: path and os.path.join(self.out_dir, os.path.basename(path))
                            for key, path in self._get_best().items()})
        if is_main_process():
            remove_parts(self.out_dir)
            self._move_aside(runner)
        barrier()

    def _move_aside(self, runner: Runner) -> None:
        """Move checkpoints of iterations that lie ahead; this training would replace some and later resume others."""
        ahead = [path for path in Path(self.out_dir).glob('*.pth') if (number_of(path) or 0) > runner.iter]
        if not ahead:
            return
        target = Path(self.out_dir) / f'earlier_{runner.timestamp}'
        target.mkdir(exist_ok=True)
        for path in ahead:
            path.rename(target / path.name)
        print_log(f'{self.out_dir} holds checkpoints of an earlier training beyond iteration {runner.iter}; moved to '
                  f'{target.name}/: {", ".join(sorted(path.name for path in ahead))}. To continue a training, use '
                  '--resume.', logger='current', level=logging.WARNING)

    def save(self, runner: Runner, iteration: int) -> bool:
        """Write the checkpoint of ``iteration`` completed iterations; False if it cannot be written."""
        if self.saved_iter != iteration:
            self._save_checkpoint_with_step(runner, iteration, meta=dict(epoch=runner.epoch, iter=iteration))
        return self.saved_iter == iteration

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        hub, name = runner.message_hub, self.filename_tmpl.format(step)
        known = list(self.keep_ckpt_ids)
        if self.max_keep_ckpts > 0:
            # With those about to be removed: if that does not happen any more, before_train does it.
            hub.update_info('keep_ckpt_ids', [*(i for i in known if i != step), step])
        path = os.path.join(self.out_dir, name)
        hub.update_info('last_ckpt', path)
        try:
            runner.save_checkpoint(
                self.out_dir, name, save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler, meta=meta, by_epoch=False)
        except OSError as error:
            self._failed = True
            hub.update_info('keep_ckpt_ids', known)
            good = list_checkpoints(self.out_dir)
            _tell(name, error, f'{good[0].name} stays' if good else 'there is none yet')
            return
        self.last_ckpt, self.saved_iter, self._failed = path, step, False
        self._point_at(path, runner)
        if self.max_keep_ckpts > 0:
            self._remove_older(runner)

    @master_only
    def _point_at(self, path: str, runner: Runner) -> None:
        try:
            with replacing(Path(runner.work_dir) / 'last_checkpoint') as file:
                file.write(os.path.relpath(path, runner.work_dir).encode())
        except OSError as error:  # resuming does without
            _tell('name in last_checkpoint', error, 'the file is out of date')

    def _remove_older(self, runner: Runner) -> None:
        ids = runner.message_hub.get_info('keep_ckpt_ids')
        self.keep_ckpt_ids = deque(ids[-self.max_keep_ckpts:])
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        if is_main_process():
            for step in ids[:-self.max_keep_ckpts]:
                Path(self.out_dir, self.filename_tmpl.format(step)).unlink(missing_ok=True)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """As in mmengine, but what was best is removed after what is best now is on the disk.

        A validation that lacks the number (nothing was annotated that it could be about) changes nothing.
        """
        if not self.save_best:
            return
        missing = [key for key in self.key_indicators if key not in metrics and (key != 'auto' or not metrics)]
        if missing:
            print_log(f'save_best={missing}: this validation gave {list(metrics) or "no number"}, so that the best so '
                      'far stays', logger='current', level=logging.WARNING)
            return
        hub = runner.message_hub
        info = {key: value for key, value in hub.runtime_info.items() if key.startswith('best_')}
        before = self._get_best()
        self._set_best({key: None for key in before})  # so that nothing is removed yet
        try:
            super()._save_best_checkpoint(runner, metrics)
        except OSError as error:
            for key in [key for key in hub.runtime_info if key.startswith('best_')]:
                hub.runtime_info.pop(key)
            hub.runtime_info.update(info)
            self._set_best(before)
            _tell(f'of the best {", ".join(self.key_indicators)}', error, 'the best so far stays')
            return
        now = self._get_best()
        self._set_best({key: now[key] or old for key, old in before.items()})
        if is_main_process():
            for key, old in before.items():
                if now[key] and old and old != now[key]:
                    Path(old).unlink(missing_ok=True)

    def _get_best(self) -> dict[str, str | None]:
        """Paths of the best checkpoints by the value they are best in, which is '' if there is one only."""
        return {'': self.best_ckpt_path} if len(self.key_indicators) == 1 else dict(self.best_ckpt_path_dict)

    def _set_best(self, paths: dict[str, str | None]) -> None:
        if '' in paths:
            self.best_ckpt_path = paths['']
        else:
            self.best_ckpt_path_dict = dict(paths)

    def after_train(self, runner: Runner) -> None:
        """Write published files; OSError if the last checkpoint could not be written."""
        if self.save_last and self._failed:
            raise OSError(f'the weights after iteration {runner.iter} could not be written to {self.out_dir}: make '
                          'space and run again with --resume')
        super().after_train(runner)


def _tell(what: str, error: OSError, rest: str) -> None:
    reason = error.strerror or error
    print_log(f'checkpoint {what} was not written ({reason}); {rest}, and the next interval tries again',
              logger='current', level=logging.ERROR)
