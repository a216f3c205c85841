"""A graph as an ONNX file, and as a package of ``torch.export``.

ONNX is written by torch's tracing exporter: the one on top of ``torch.export`` needs minutes for sizes that vary, since
every shape is an expression of them. What tracing gets wrong shows when the file is compared with the model.
"""
import logging
import math
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Collection, Iterator, Sequence

import torch
from mmdet.models.backbones.swin import ShiftWindowMSA
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.overrides import TorchFunctionMode

from ..models.layers.deformable_attention import DeformableAttention
from .graphs import STRIDE

# grid_sample is one operator of ONNX, gather is indexing, which every runtime has
SAMPLERS = ('grid_sample', 'gather')
OPSET = 20
RECORDED = (2, 160, 224)  # batch, height, width
LARGEST = dict(batch=1024, rows=256, columns=256, names=2**16, tokens=2**20, sentences=2**16)


@contextmanager
def sampling_by(graph: nn.Module, way: str) -> Iterator[None]:
    """All deformable attention of a graph by one of ``SAMPLERS``, afterwards as before."""
    parts = [part for part in graph.modules() if isinstance(part, DeformableAttention)]
    ways = [part.way for part in parts]
    try:
        for part in parts:
            part.way = way
        yield
    finally:
        for part, before in zip(parts, ways):
            part.way = before


@contextmanager
def _any_batch(graph: nn.Module) -> Iterator[None]:
    """mmdet's Swin counts the pictures of its windows in Python, which would make the recorded batch a constant."""
    parts = [part for part in graph.modules() if isinstance(part, ShiftWindowMSA)]
    try:
        for part in parts:
            part.window_reverse = _map_of_windows
        yield
    finally:
        for part in parts:
            del part.window_reverse  # the class has it


def _map_of_windows(windows: Tensor, height: int, width: int) -> Tensor:
    """Maps (B, H, W, C) of their windows (B * windows, side, side, C), row by row."""
    side, channels = windows.shape[-2:]
    rows = windows.reshape(-1, height // side, width // side, side, side, channels).transpose(2, 3)
    return rows.reshape(-1, height, width, channels)


@contextmanager
def _recording(graph: nn.Module, sampler: str) -> Iterator[tuple[Tensor, ...]]:
    """Example inputs of the graph; exporters say nothing of their own future and of sizes that might be constants.

    Raises:
        ValueError: ``sampler`` is none of ``SAMPLERS``.
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"sampler='{sampler}' is unknown; choose one of {SAMPLERS}")
    loggers = [(logger, logger.level) for logger in map(logging.getLogger, ('torch.onnx', 'torch.__trace'))]
    try:
        for logger, _ in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), torch.no_grad(), sampling_by(graph, sampler), _any_batch(graph):
            for category in (torch.jit.TracerWarning, DeprecationWarning, FutureWarning):
                warnings.filterwarnings('ignore', category=category)
            warnings.filterwarnings('ignore', message='torch.meshgrid|Exporting a model|Constant folding')
            yield graph.examples(torch.Generator().manual_seed(0), *RECORDED)
    finally:
        for logger, level in loggers:
            logger.setLevel(level)


def write_onnx(graph: nn.Module, sampler: str, path: Path, settings: str, baked: dict[str, Tensor]) -> None:
    """Write the graph.

    Args:
        graph: one of ``graphs``, in eval mode.
        sampler: one of ``SAMPLERS``.
        path: of the file.
        settings: what the file's metadata has under 'glee'.
        baked: inputs that become constants of the file, and what they are.
    """
    import onnx
    axes = dict(graph.inputs, **{name: {0: 'results'} for name in graph.outputs})
    sides = dict(rows='height', columns='width')
    axes = {key: {axis: sides.get(name, name) for axis, name in varying.items()} for key, varying in axes.items()}
    with _recording(graph, sampler) as examples, _Traceable():
        torch.onnx.export(graph, examples, str(path), dynamo=False, opset_version=OPSET, dynamic_axes=axes,
                          input_names=list(graph.inputs), output_names=list(graph.outputs))
    model = onnx.load(str(path))
    for value in [value for value in model.graph.input if value.name in baked]:
        model.graph.input.remove(value)
        model.graph.initializer.append(onnx.numpy_helper.from_array(baked[value.name].contiguous().numpy(), value.name))
    entry = model.metadata_props.add()
    entry.key, entry.value = 'glee', settings
    onnx.save(model, str(path))


class _Traceable(TorchFunctionMode):
    """Operators that the tracing exporter lacks, or of which it takes the recorded sizes for constants, by others."""

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func is Tensor.unflatten:
            return _unflatten(*args, **(kwargs or {}))
        if func is torch.addcdiv:
            return args[0] + args[1] / args[2]
        return func(*args, **(kwargs or {}))


def _unflatten(x: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    dim %= x.dim()
    return x.reshape(*x.shape[:dim], *sizes, *x.shape[dim + 1:])


def record(graph: nn.Module, sampler: str, varying: Collection[str] | None = None) -> ExportedProgram:
    """The graph as ``torch.export`` records it.

    Args:
        graph: an ``ImageGraph`` in eval mode.
        sampler: one of ``SAMPLERS``.
        varying: names of the axes that vary, of those in the graph's ``inputs``; by default all.
    """
    smallest = {}
    if hasattr(graph, 'model'):  # a picture must have a place for every query
        places = graph.model.panoptic_head.num_queries / sum(4.**-level for level in range(4))
        smallest['rows'] = smallest['columns'] = max(math.ceil(math.sqrt(places) * 8 / STRIDE), 3)
    names = {name for axes in graph.inputs.values() for name in axes.values()}
    names = names if varying is None else names & set(varying)
    dims: dict[str, Any] = {name: Dim(name, min=smallest.get(name, 1), max=LARGEST[name]) for name in names}
    for name in names & {'rows', 'columns'}:
        dims[name] = STRIDE * dims[name]
    shapes = {key: {axis: dims[name] for axis, name in axes.items() if name in dims}
              for key, axes in graph.inputs.items()}
    with _recording(graph, sampler) as examples:
        return torch.export.export(graph, examples, dynamic_shapes=shapes, strict=False)
