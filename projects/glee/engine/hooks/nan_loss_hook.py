"""Stop a training whose loss is no longer a number, before a checkpoint of it is written."""
import math
from typing import Optional

import torch
from mmdet.engine.hooks import CheckInvalidLossHook
from mmdet.registry import HOOKS
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner

from ..checkpoints.durable_files import list_checkpoints


@HOOKS.register_module()
class NaNLossHook(CheckInvalidLossHook):
    """mmdet's ``CheckInvalidLossHook`` with the names of the terms and the way back.

    It runs after every iteration by default and before the checkpoint hook, so no checkpoint holds
    the broken weights. The gradient norm is looked at too, because it breaks the weights one
    iteration before a loss shows it; with a loss scaler an infinite one is normal and is skipped.

    Args:
        interval: Look every this many iterations.
    """

    def __init__(self, interval: int = 1) -> None:
        super().__init__(interval)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Raise FloatingPointError if a value of ``outputs`` is not finite."""
        if not self.every_n_train_iters(runner, self.interval):
            return
        values = {name: torch.as_tensor(v).item() for name, v in (outputs or {}).items()}
        history = runner.message_hub.log_scalars.get('train/grad_norm')
        if history is not None and not isinstance(runner.optim_wrapper, AmpOptimWrapper):
            values['grad_norm'] = history.current()
        broken = [f'{name}={v}' for name, v in values.items() if not math.isfinite(v)]
        if broken:
            last = next(iter(list_checkpoints(runner.work_dir)), None)
            kept = f'The last checkpoint, {last}, is from before it' if last else \
                'There is no checkpoint yet'
            raise FloatingPointError(
                f'iteration {runner.iter + 1}: {", ".join(broken)}. {kept}. Lower the learning '
                'rate or look at the data of this iteration; --resume continues from the last '
                'checkpoint.')
