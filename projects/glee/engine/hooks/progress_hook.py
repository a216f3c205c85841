"""A bar while a person waits for a test."""
import sys
from typing import Optional

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.utils import ProgressBar

from ...utils.console import is_terminal


@HOOKS.register_module()
class ProgressHook(Hook):
    """Shows how far a test or validation is, and how long it takes yet; only on a terminal."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self._bar: Optional[ProgressBar] = None

    def _before(self, loader) -> None:
        if is_main_process() and is_terminal():
            self._bar = ProgressBar(len(loader), file=sys.stdout)

    def before_test_epoch(self, runner) -> None:
        """See ``Hook``."""
        self._before(runner.test_dataloader)

    def before_val_epoch(self, runner) -> None:
        """See ``Hook``."""
        self._before(runner.val_dataloader)

    def _after_iter(self, runner, batch_idx: int, data_batch=None, outputs=None, mode: str = 'train') -> None:
        if mode != 'train' and self._bar is not None:
            self._bar.update()
            if self._bar.completed == self._bar.task_num:
                print()  # the line of the bar ends
                self._bar = None
