"""A runner that loads a checkpoint completely or not at all, and writes it so."""
import re
import time
from pathlib import Path
from typing import Callable

import mmengine
from mmdet.registry import RUNNERS
from mmengine.dist import broadcast_object_list, is_main_process, master_only
from mmengine.hooks import LoggerHook
from mmengine.logging import MMLogger, print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.checkpoint import weights_to_cpu
from mmengine.utils import apply_to
from torch import nn

from ...utils.console import quieten
from ..checkpoints.durable_files import is_complete, list_checkpoints, write_checkpoint
from ..checkpoints.load_weights import load_weights
from ..checkpoints.safe_checkpoint import read_checkpoint, safe_loading


@RUNNERS.register_module()
class StrictRunner(Runner):
    """mmengine's runner, whose checkpoints must fit the model (``tools/`` use it by default).

    The stock runner only logs missing and unexpected entries and goes on with random weights.
    A config starts a model from a part of a checkpoint with the key ``load_ignore``, a list of
    regular expressions: entries whose name one of them finds are neither required nor loaded,
    for instance ``load_ignore = [r'^backbone\\.']``. Resuming a training ignores nothing.

    With ``resume=True`` and no ``load_from``, or with ``resume='auto'``, the newest complete checkpoint of the
    work folder is taken; where there is none, training starts, from ``load_from`` if that is given.
    """

    _resuming = False

    def build_logger(self, log_level: int | str = 'INFO', log_file: str | None = None, **kwargs) -> MMLogger:
        """As the stock runner; what nobody reads goes to the file alone (``quieten``)."""
        logger = super().build_logger(log_level, log_file, **kwargs)
        quieten(logger)
        logger.info(f'config, versions and every term of the loss: {logger.log_file}')
        return logger

    def train(self) -> nn.Module:
        """As the stock runner; hooks that have an ``end_train`` are told however it ends."""
        try:
            return super().train()
        finally:
            self.call_hook('end_train')

    def call_hook(self, fn_name: str, **kwargs) -> None:
        """As the stock runner; one process writes the numbers of a test, where mmengine lets all write one file."""
        if fn_name != 'after_test_epoch' or is_main_process():
            super().call_hook(fn_name, **kwargs)
            return
        for hook in self.hooks:
            if not isinstance(hook, LoggerHook):
                getattr(hook, fn_name)(self, **kwargs)

    def _init_model_weights(self) -> None:
        """As the stock runner; ``init_cfg=dict(type='Pretrained')`` never executes what a file holds."""
        with safe_loading():
            super()._init_model_weights()

    def load_or_resume(self) -> None:
        """Load ``load_from``, resume from it, or resume from the newest complete checkpoint of the work folder.

        Raises:
            ValueError: the work folder holds checkpoints, but none is complete.
        """
        if self._has_loaded or not (self._resume == 'auto' or self._resume and self._load_from is None):
            return super().load_or_resume()
        newest = self._find_newest()
        if newest is not None:
            self.logger.info(f'Resume from {newest}')
            self.resume(newest)
            return
        print_log(f'--resume: no checkpoint in {self.work_dir} yet, training starts', self.logger)
        if self._load_from is not None:
            self.load_checkpoint(self._load_from)
        self._has_loaded = True

    def _find_newest(self) -> str | None:
        """The newest complete checkpoint; damaged ones that are newer get another name (one process looks)."""
        found = [None, None]
        if is_main_process():
            damaged = []
            for path in list_checkpoints(self.work_dir):
                if is_complete(path):
                    found[0] = str(path)
                    break
                damaged.append(path)
            names = ', '.join(path.name for path in damaged)
            if damaged and found[0] is None:
                found[1] = (f'{self.work_dir} holds no complete checkpoint, only {names}: move them away to start '
                            'from the beginning')
            elif damaged:
                for path in damaged:
                    path.rename(f'{path}.damaged')
                self.logger.warning(f'passed over as damaged and renamed *.pth.damaged: {names}')
        broadcast_object_list(found)
        if found[1] is not None:
            raise ValueError(found[1])
        return found[0]

    def load_checkpoint(self, filename: str, map_location: str | Callable = 'cpu', strict: bool = True,
                        revise_keys: list = [(r'^module\.', '')]) -> dict:
        """Load the weights of ``filename`` into the model; ``resume`` uses this too.

        ``strict=False`` is the stock runner's tolerant way.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is refused (see ``read_checkpoint``) or does not fit the model;
                the entries are named.
        """
        if not strict:
            with safe_loading():
                return super().load_checkpoint(filename, map_location, strict, revise_keys)
        checkpoint = read_checkpoint(filename, map_location)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        weights = checkpoint.get('state_dict', checkpoint)
        for pattern, replacement in revise_keys:
            weights = {re.sub(pattern, replacement, key): v for key, v in weights.items()}
        ignore = () if self._resuming else self.cfg.get('load_ignore', ())
        load_weights(self._bare_model(), weights, filename, [ignore] if isinstance(ignore, str) else ignore)
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint

    def resume(self, filename: str, *args, **kwargs) -> None:
        """As the stock runner; ValueError if the file holds weights but no training state."""
        self._resuming = True
        try:
            super().resume(filename, *args, **kwargs)
        except KeyError as error:
            raise ValueError(
                f'training cannot be resumed from {filename}: it lacks {error}. To start a new '
                'training from its weights, use --cfg-options load_from=... instead') from error
        finally:
            self._resuming = False

    @master_only
    def save_checkpoint(self, out_dir: str, filename: str, file_client_args: dict | None = None,
                        save_optimizer: bool = True, save_param_scheduler: bool = True, meta: dict | None = None,
                        by_epoch: bool = True, backend_args: dict | None = None) -> None:
        """Write what the stock runner writes, but complete or not at all, and without building the file in memory.

        Args:
            out_dir (str), filename (str): where; a local folder, unless ``backend_args`` are given.
            file_client_args (dict | None), backend_args (dict | None): of mmengine's storage, which writes its own way.
            save_optimizer (bool), save_param_scheduler (bool): what resuming needs.
            meta (dict | None): more entries of 'meta'.
            by_epoch (bool): what the default of 'epoch' and 'iter' in ``meta`` counts as completed.

        Raises:
            OSError: it cannot be written; an earlier file of that name is untouched.
        """
        if file_client_args or backend_args or '://' in str(out_dir):
            return super().save_checkpoint(out_dir, filename, file_client_args, save_optimizer, save_param_scheduler,
                                           meta, by_epoch, backend_args)
        meta = dict(
            dict(epoch=self.epoch + by_epoch, iter=self.iter + (not by_epoch)), **(meta or {}),
            cfg=self.cfg.pretty_text, seed=self.seed, experiment_name=self.experiment_name,
            time=time.strftime('%Y%m%d_%H%M%S', time.localtime()), mmengine_version=mmengine.__version__)
        if hasattr(self.train_dataloader.dataset, 'metainfo'):
            meta['dataset_meta'] = self.train_dataloader.dataset.metainfo
        checkpoint = dict(
            meta=meta, state_dict=weights_to_cpu(self._bare_model().state_dict()),
            message_hub=_to_cpu(self.message_hub.state_dict()))
        if save_optimizer:
            checkpoint['optimizer'] = _to_cpu(self.optim_wrapper.state_dict())
        if save_param_scheduler and self.param_schedulers is not None:
            checkpoint['param_schedulers'] = _scheduler_states(self.param_schedulers)
        self.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        Path(out_dir).mkdir(parents=True, exist_ok=True)
        write_checkpoint(checkpoint, Path(out_dir) / filename)

    def _bare_model(self) -> nn.Module:
        return self.model.module if is_model_wrapper(self.model) else self.model


def _to_cpu(state: dict) -> dict:
    return apply_to(state, lambda value: hasattr(value, 'cpu'), lambda value: value.cpu())


def _scheduler_states(schedulers: list | dict) -> list | dict:
    if isinstance(schedulers, dict):
        return {name: _scheduler_states(group) for name, group in schedulers.items()}
    return [scheduler.state_dict() for scheduler in schedulers]
