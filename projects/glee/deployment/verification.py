"""Whether a file says what the model says."""
from pathlib import Path
from typing import Callable, NamedTuple, Sequence

import numpy as np
import torch
from torch import Tensor, nn

TOLERANCE = 1e-3
# batch, height, width: none is the recorded one
SIZES = ((1, 192, 320), (3, 160, 160))
TRIES = 4  # pictures of a size, where nearly equal scores select other queries


class Difference(NamedTuple):
    """Largest differences; of ``logits`` and ``boxes`` as they are, of the others as a share of the largest value."""
    values: dict[str, float]

    def __str__(self) -> str:
        return ', '.join(f'{name} {value:.1e}' for name, value in self.values.items())


def verify(path: Path, graph: nn.Module, baked: Sequence[Tensor] = ()) -> Difference:
    """Run a file in ONNX Runtime beside the model, in other sizes and batches than were recorded.

    The model runs as it predicts, with its own sampling. Where it has nearly equal scores another query may be selected
    for a rounding error, which changes what all queries say; such a picture says nothing, and the next one is taken.

    Args:
        path: of the ONNX file.
        graph: what was recorded.
        baked: what the last inputs of the graph are in this file.

    Returns:
        Difference: the largest ones.

    Raises:
        ValueError: one is above ``TOLERANCE``, or no picture could be compared.
    """
    session = open_session(path)
    wanted = [one.name for one in session.get_inputs()]

    def run(inputs: tuple[Tensor, ...]) -> list[np.ndarray]:
        asked = dict(zip(graph.inputs, (value.numpy() for value in inputs)))
        return session.run(None, {name: asked[name] for name in wanted})

    return _verify(path.name, run, graph, baked)


def verify_package(path: Path, graph: nn.Module) -> Difference:
    """The same for a package of ``torch.export``, run by torch."""
    module = torch.export.load(str(path)).module()
    return _verify(path.name, lambda inputs: [value.detach().numpy() for value in module(*inputs)], graph, ())


def _verify(name: str, run: Callable[[tuple[Tensor, ...]], Sequence[np.ndarray]], graph: nn.Module,
            baked: Sequence[Tensor]) -> Difference:
    generator, worst = torch.Generator().manual_seed(1), {}
    with torch.no_grad():
        # squares of one side may be so large that several need more memory than there is
        for size in SIZES[:1] if getattr(graph, 'side', None) else SIZES:
            for _ in range(TRIES):
                inputs = graph.examples(generator, *size)
                inputs = (*inputs[:len(inputs) - len(baked)], *baked)
                found, expected = (dict(zip(graph.outputs, outputs)) for outputs in (
                    run(inputs), [value.numpy() for value in graph(*inputs)]))
                if _same_queries(found, expected):
                    break
            else:
                raise ValueError(f'{name} does not select the queries that the model selects, in {TRIES} pictures')
            for output, value in compare(found, expected).items():
                worst[output] = max(value, worst.get(output, 0.))
    found = Difference(worst)
    if not all(value <= TOLERANCE for value in worst.values()):  # nor nan
        raise ValueError(f'{name} differs from the model by more than {TOLERANCE}: {found}')
    return found


def open_session(path: Path):
    """ONNX Runtime's session of a file, on the CPU, with as many threads as torch uses."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


def _same_queries(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    places = [np.sort(outputs.get('positions', np.zeros(1))) for outputs in (found, expected)]
    return np.array_equal(*places)


def compare(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> dict[str, float]:
    """Largest differences by output, queries of one position side by side; as of ``Difference``."""
    differences = {}
    for name in (name for name in expected if name != 'positions'):
        pair = [outputs[name] for outputs in (found, expected)]
        if 'positions' in expected:
            pair = [np.stack([rows[order] for rows, order in zip(values, outputs['positions'].argsort(1))])
                    for values, outputs in zip(pair, (found, expected))]
        unit = 1. if name in ('logits', 'boxes') else max(float(np.abs(pair[1]).max()), 1e-12)
        differences[name] = float(np.abs(pair[0] - pair[1]).max()) / unit
    return differences
