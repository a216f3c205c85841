"""A device that is not there, which counts how often the program waits for it.

Tensors "on" it say ``device='meta'`` and keep their values on the CPU, so that a model computes as ever and takes the
ways it has for a device that is no CPU. A wait is what stops a CUDA program until the device has done all it was told:
reading a value (``item``, ``bool``, ``tolist``), a result whose size depends on values (``nonzero``, ``unique``, a mask
as index), and copies between device and program, either way, unless ``non_blocking``. As on a GPU, tensors of both
sides do not mix.

    with pretended_device() as waits:
        model.to(DEVICE)
        waits.clear()
        model(batch.to(DEVICE), ...)
    assert waits == []
"""
import traceback
from contextlib import contextmanager, nullcontext
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device('meta')
_ATEN = torch.ops.aten
_WAITING = {
    _ATEN._local_scalar_dense, _ATEN.nonzero, _ATEN.is_nonzero, _ATEN.masked_select, _ATEN._unique, _ATEN._unique2,
    _ATEN.unique_dim, _ATEN.unique_consecutive, _ATEN.unique_dim_consecutive, _ATEN.bincount, _ATEN.equal,
    _ATEN.histc, _ATEN.allclose, _ATEN.nonzero_numpy}
_INDEXING = {_ATEN.index, _ATEN.index_put, _ATEN.index_put_, _ATEN._index_put_impl_, _ATEN._unsafe_index}
_COPIES = {_ATEN._to_copy, _ATEN.copy_, _ATEN.copy}


class FarTensor(Tensor):
    """A tensor on the pretended device; ``near`` has its values."""

    @staticmethod
    def __new__(cls, near: Tensor) -> 'FarTensor':
        return Tensor._make_wrapper_subclass(
            cls, near.size(), strides=near.stride(), storage_offset=near.storage_offset(), dtype=near.dtype,
            device=DEVICE, requires_grad=False)

    def __init__(self, near: Tensor) -> None:
        self.near = near

    def __repr__(self) -> str:
        return f'FarTensor({self.near!r})'

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError(f'{func} outside of pretended_device()')


class _Device(TorchDispatchMode):
    """Runs every operator on the values and notes waits."""

    def __init__(self, waits: list[str]) -> None:
        super().__init__()
        self.waits = waits

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        tensors = [part for part in tree_flatten((args, kwargs))[0] if isinstance(part, Tensor)]
        far = [isinstance(part, FarTensor) for part in tensors]
        to = kwargs.get('device')
        result_is_far = any(far) if to is None else torch.device(to) == DEVICE
        if func.overloadpacket is _ATEN.copy_:
            result_is_far = far[0]
        if any(far) or result_is_far:
            self._note(func, args, kwargs, tensors, far, result_is_far)
        if to is not None:
            kwargs['device'] = torch.device('cpu')
        elif _ATEN._to_copy is func.overloadpacket:
            kwargs['device'] = torch.device('cpu')
        near_args, near_kwargs = tree_map(lambda part: part.near if isinstance(part, FarTensor) else part,
                                          (args, kwargs))
        out = func(*near_args, **near_kwargs)
        if not result_is_far:
            return out
        out = tree_map(lambda part: FarTensor(part) if isinstance(part, Tensor) else part, out)
        return return_and_correct_aliasing(func, args, kwargs, out) if any(far) and to is None else out

    def _note(self, func, args, kwargs, tensors, far, result_is_far) -> None:
        packet = func.overloadpacket
        if packet in _COPIES:
            crosses = result_is_far != far[-1]
            if crosses and not kwargs.get('non_blocking') and not (packet is not _ATEN._to_copy and True in args[2:]):
                self._wait(f'copy {"to" if result_is_far else "from"} the device', tensors[-1])
        elif packet in _INDEXING:
            self._note_index(packet, args)
        elif packet in _WAITING or (packet is _ATEN.repeat_interleave and kwargs.get('output_size') is None):
            self._wait(packet.__name__, tensors[0])
        elif packet is not _ATEN.lift_fresh and any(
                part.dim() and not is_far for part, is_far in zip(tensors, far)):
            raise RuntimeError(f'{packet} got tensors of the device and of the CPU')

    def _note_index(self, packet, args) -> None:
        indices = [index for index in args[1] if index is not None]
        masks = [index for index in indices if index.dtype in (torch.bool, torch.uint8)]
        # a mask that is filled with one value needs no positions
        filled = packet not in (_ATEN.index, _ATEN._unsafe_index) and args[2].numel() == 1 and not any(args[3:])
        if masks and not (filled and len(indices) == 1):
            self._wait('a mask as index', masks[0])
        if any(index.dim() and not isinstance(index, FarTensor) for index in indices):
            self._wait('copy of an index to the device', indices[0])

    def _wait(self, what: str, tensor: Tensor) -> None:
        frames = [frame for frame in traceback.extract_stack()
                  if frame.filename != __file__ and '/torch/' not in frame.filename]
        places = ' < '.join(f'{frame.filename.split("site-packages/")[-1]}:{frame.lineno}'
                            for frame in frames[-3:][::-1])
        self.waits.append(f'{what} {tuple(tensor.shape)} at {places}')


class _Builders(TorchFunctionMode):
    """Tensors of Python's numbers are built on the CPU and copied."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in (torch.tensor, torch.as_tensor) and kwargs.get('device') is not None \
                and torch.device(kwargs['device']) == DEVICE:
            return func(*args, **{**kwargs, 'device': 'cpu'}).to(DEVICE)
        if func is Tensor.tolist and isinstance(args[0], FarTensor):
            return args[0].cpu().tolist()
        if func is Tensor.new_tensor and args[0].device == DEVICE:
            kwargs.setdefault('dtype', args[0].dtype)
            return torch.tensor(*args[1:], **{**kwargs, 'device': 'cpu'}).to(kwargs.get('device', DEVICE))
        return func(*args, **kwargs)


@contextmanager
def pretended_device():
    """A list of the waits, as they come; autocast, which knows no such device, does nothing on it."""
    waits, autocast, is_enabled = [], torch.autocast, torch.is_autocast_enabled

    def cast(device_type, *args, **kwargs):
        return nullcontext() if device_type == DEVICE.type else autocast(device_type, *args, **kwargs)

    def enabled(device_type=None):
        return device_type != DEVICE.type and (is_enabled() if device_type is None else is_enabled(device_type))

    with mock.patch.multiple(torch, autocast=cast, is_autocast_enabled=enabled), _Builders(), _Device(waits):
        yield waits
