"""Times, memory, shares of parts and the rate of the machine."""
import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, ContextManager, Iterator, NamedTuple

import numpy as np
import torch
from torch import nn

from projects.glee.models.layers.row_linear import row_product

PARTS = ('backbone', 'neck', 'panoptic_head.text_encoder', 'panoptic_head.pixel_decoder.early_fusion',
         'panoptic_head.pixel_decoder', 'panoptic_head.decoder', 'panoptic_head.criterion',
         'panoptic_fusion_head.predict')


class Times(NamedTuple):
    """Seconds of calls, wall clock and CPU of all threads."""
    wall: list[float]
    cpu: list[float]

    def summary(self, units: int = 1) -> dict[str, float]:
        """Median and 90th percentile of a unit (a frame of a video), and units per second."""
        wall, cpu = (np.array(values) / units for values in self)
        return dict(median=float(np.median(wall)), p90=float(np.percentile(wall, 90)), fps=1 / float(np.median(wall)),
                    cpu_median=float(np.median(cpu)), cpu_p90=float(np.percentile(cpu, 90)))


def clock(call: Callable[[], object], finish: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds of one call; ``finish`` waits for the device."""
    finish()
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    finish()
    return time.perf_counter() - wall, time.process_time() - cpu


def interleaved(calls: dict[str, tuple[Callable[[], object], Callable[[], ContextManager]]], repeats: int,
                finish: Callable[[], None]) -> dict[str, Times]:
    """Every call once to warm up, then all in turn, so that a busy hour strikes all alike.

    Args:
        calls: what to call, and in which context, by name.
        repeats: counted rounds.
        finish: waits for the device.
    """
    times = {name: Times([], []) for name in calls}
    for index in range(1 + repeats):
        for name, (call, context) in calls.items():
            with context():
                wall, cpu = clock(call, finish)
            if index:
                times[name].wall.append(wall)
                times[name].cpu.append(cpu)
    return times


def ratio(old: Times, new: Times) -> dict[str, float]:
    """Old over new, above one where the new one is faster: the median of the pairs of a round."""
    return {clock: float(np.median(np.divide(getattr(old, clock), getattr(new, clock)))) for clock in ('wall', 'cpu')}


def peak_memory(call: Callable[[], object], device: torch.device) -> dict[str, float]:
    """MiB during one call: ``peak`` of the GPU or of the process, and ``before`` the call."""
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device) / 2**20
        call()
        return dict(peak=torch.cuda.max_memory_allocated(device) / 2**20, before=before)
    try:
        Path('/proc/self/clear_refs').write_text('5')  # forgets earlier peaks
        before = _status('VmRSS')
        call()
        return dict(peak=_status('VmHWM'), before=before)
    except OSError as error:
        raise OSError(f'peak memory is read from /proc of Linux: {error}') from error


def _status(field: str) -> float:
    return int(re.search(rf'{field}:\s+(\d+)', Path('/proc/self/status').read_text())[1]) / 1024


def breakdown(model: nn.Module, call: Callable[[], object], finish: Callable[[], None],
              now: Callable[[], float] = time.process_time) -> dict[str, float]:
    """Seconds of one call by part, 'all' and 'rest' included; early fusion is no longer in the pixel decoder's.

    ``now`` is the clock: of CPU time, which other programs do not disturb, or, for a GPU, ``time.perf_counter``.
    """
    spent = dict.fromkeys(PARTS, 0.)
    with _watched(model, spent, finish, now):
        finish()
        start = now()
        call()
        finish()
        spent['all'] = now() - start
    spent['panoptic_head.pixel_decoder'] -= spent['panoptic_head.pixel_decoder.early_fusion']
    spent['rest'] = spent['all'] - sum(spent[part] for part in PARTS)
    return {part: seconds for part, seconds in spent.items() if seconds or part in ('all', 'rest')}


@contextmanager
def _watched(model: nn.Module, spent: dict[str, float], finish: Callable[[], None],
             now: Callable[[], float]) -> Iterator[None]:
    """Adds up the seconds of each part that runs."""
    replaced = []
    for part in PARTS:
        owner, _, method = part.rpartition('.') if part.endswith('.predict') else (part, '', 'forward')
        try:
            module = model.get_submodule(owner)
        except AttributeError:
            continue
        run = getattr(module, method)

        def timed(*args, run=run, part=part, **kwargs):
            finish()
            start = now()
            found = run(*args, **kwargs)
            finish()
            spent[part] += now() - start
            return found

        setattr(module, method, timed)
        replaced.append((module, method))
    try:
        yield
    finally:
        for module, method in replaced:
            delattr(module, method)  # the class has it


def matmul_rate(device: torch.device, dtype: torch.dtype, side: int = 1024, repeats: int = 5) -> float:
    """Best GFLOP/s of a square matrix product, by torch's way and by ours; on a CPU per second of one core's time."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    finish = torch.cuda.synchronize if device.type == 'cuda' else (lambda: None)
    with torch.no_grad():
        seconds = [clock(product, finish)[device.type == 'cpu'] for _ in range(repeats)
                   for product in (lambda: a @ b, lambda: row_product(a, b))]
    return 2 * side**3 / min(seconds) / 1e9
