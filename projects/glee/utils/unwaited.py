"""Copies to a device that the program does not wait for."""
from contextlib import nullcontext
from typing import Any, Callable, ContextManager, Sequence

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


def unwaited_copies(device: torch.device) -> ContextManager:
    """In this context tensors of Python's numbers, and what ``Tensor.to`` moves away from the CPU, are copied without
    waiting for what the device still has to do; on a CPU nothing changes.

    It also serves code that is not ours: each ``new_tensor`` of mmdet's box costs would wait. The memory that is
    copied may be changed at once (CUDA takes what is not pinned before it returns). Results that come back to the CPU
    are waited for as ever.
    """
    return nullcontext() if device.type == 'cpu' else _UnwaitedCopies()


def sent(values: Sequence[float] | Sequence[bool], device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """``torch.tensor(values, dtype, device)``, but the program does not wait for what the device is doing."""
    return torch.tensor(values, dtype=dtype).to(device, non_blocking=True)


def as_index(rows: Tensor | Sequence[int], device: torch.device) -> Tensor:
    """Long (R,) of rows of a tensor on ``device``, which is not waited for, as it would be with a list as index."""
    return rows if isinstance(rows, Tensor) else sent(list(rows), device, torch.long)


class _UnwaitedCopies(TorchFunctionMode):

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func in (torch.tensor, torch.as_tensor) and not isinstance(args[0], Tensor) and kwargs.get('device'):
            return func(*args, **{**kwargs, 'device': 'cpu'}).to(kwargs['device'], non_blocking=True)
        if func is Tensor.new_tensor and not isinstance(args[1], Tensor):
            kwargs = dict(dtype=args[0].dtype, device=args[0].device, **kwargs)
            return torch.tensor(args[1], **{**kwargs, 'device': 'cpu'}).to(kwargs['device'], non_blocking=True)
        if func is Tensor.to and args[0].device.type == 'cpu' and len(args) <= 3:
            kwargs = {'non_blocking': True, **kwargs}
        return func(*args, **kwargs)
