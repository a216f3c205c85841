"""Loops of multi-scale deformable attention for a CPU, which numba compiles when they are first called.

Compiling takes some seconds; the result is kept beside this file, where that folder is read-only in the user's
cache, or in ``NUMBA_CACHE_DIR``. Arrays are flat and indices unsigned, else numba asks of every index whether it
counts from the end, which costs half of the speed.
"""
from threading import Thread
from typing import Callable

import numba
import numpy as np
import torch
from numba import intp, uint64
from torch import Tensor

# a thread that has less to do takes longer to start than to work
SAMPLES_PER_THREAD = 50_000


def forward(value: Tensor, sizes: list[int], locations: Tensor, weights: Tensor) -> Tensor:
    """Weighted samples (B, Q, H*D); shapes as in ``sample_levels``."""
    value, locations, weights = value.contiguous(), locations.contiguous(), weights.contiguous()
    batch, queries, heads, _, points = weights.shape
    out = value.new_empty(batch, queries, heads * value.shape[3])
    _in_threads(_attend, batch * queries, locations, _flat(value), np.array(sizes), _flat(locations), _flat(weights),
                _flat(out), (value.shape[1], queries, heads, value.shape[3], points))
    return out


def backward(grad: Tensor, value: Tensor, sizes: list[int], locations: Tensor,
             weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of ``value``, ``locations`` and ``weights`` from ``grad`` (B, Q, H*D)."""
    value, locations, weights = value.contiguous(), locations.contiguous(), weights.contiguous()
    batch, queries, heads, _, points = weights.shape
    grads = torch.zeros_like(value), torch.zeros_like(locations), torch.zeros_like(weights)
    # a thread owns whole heads, so that no two add to the same cell of the value
    _in_threads(_attend_backward, batch * heads, locations, _flat(grad.contiguous()), _flat(value), np.array(sizes),
                _flat(locations), _flat(weights), *(_flat(part) for part in grads),
                (value.shape[1], queries, heads, value.shape[3], points))
    return grads


def _flat(tensor: Tensor) -> np.ndarray:
    return tensor.detach().view(-1).numpy()


def _in_threads(kernel: Callable, count: int, locations: Tensor, *args) -> None:
    """Run ``kernel(*args, start, stop)`` over ``count`` rows, on as many threads as torch uses."""
    threads = max(min(torch.get_num_threads(), count, locations.numel() // 2 // SAMPLES_PER_THREAD), 1)
    bounds = [count * index // threads for index in range(threads + 1)]
    helpers = [Thread(target=kernel, args=(*args, *part)) for part in zip(bounds[1:], bounds[2:])]
    for helper in helpers:
        helper.start()
    kernel(*args, 0, bounds[1])
    for helper in helpers:
        helper.join()


def _compiled(*fastmath: str) -> Callable:
    """Decorator: machine code that runs without the interpreter's lock, kept on disk if a folder can be written."""
    options = dict(nogil=True, error_model='numpy', fastmath=set(fastmath))

    def decorate(function: Callable) -> Callable:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # numba found no folder for its cache
            return numba.njit(**options)(function)

    return decorate


@_compiled('contract', 'nsz')
def _neighbours(place, size, one):
    """The two cells beside a place on one axis: indices, weights, and the slopes of the weights.

    A cell outside the map gives way to the other one, with weight and slope 0.
    """
    floor = np.floor(place)
    lower = intp(floor)
    upper = lower + 1
    inside_lower = one if lower >= 0 else one - one
    inside_upper = one if upper < size else one - one
    weight = place - floor
    return (max(lower, 0), min(upper, size - 1), inside_lower * (one - weight), inside_upper * weight, -inside_lower,
            inside_upper)


@_compiled('contract', 'nsz')
def _attend(value, sizes, locations, weights, out, shape, start, stop):
    """Rows ``start`` to ``stop`` of the B*Q rows of ``out``. ``shape``: (N, Q, H, D, P)."""
    keys, queries, heads, channels, points = shape
    half, one = value.dtype.type(0.5), value.dtype.type(1)
    total = np.empty(channels, value.dtype)
    for row in range(start, stop):
        for head in range(heads):
            for c in range(channels):
                total[c] = one - one
            first = row // queries * keys
            sample = (row * heads + head) * (len(sizes) // 2) * points
            for level in range(len(sizes) // 2):
                height, width = sizes[2 * level], sizes[2 * level + 1]
                for sample in range(sample, sample + points):
                    x = locations[uint64(2 * sample)] * value.dtype.type(width) - half
                    y = locations[uint64(2 * sample + 1)] * value.dtype.type(height) - half
                    if x > -1 and y > -1 and x < width and y < height:
                        left, right, wl, wr, _, _ = _neighbours(x, width, one)
                        top, bottom, wt, wb, _, _ = _neighbours(y, height, one)
                        wt, wb = wt * weights[uint64(sample)], wb * weights[uint64(sample)]
                        wtl, wtr, wbl, wbr = wt * wl, wt * wr, wb * wl, wb * wr
                        top, bottom = first + top * width, first + bottom * width
                        tl = uint64(((top + left) * heads + head) * channels)
                        tr = uint64(((top + right) * heads + head) * channels)
                        bl = uint64(((bottom + left) * heads + head) * channels)
                        br = uint64(((bottom + right) * heads + head) * channels)
                        for i in range(channels):
                            c = uint64(i)
                            total[c] += (wtl * value[tl + c] + wtr * value[tr + c] + wbl * value[bl + c] +
                                         wbr * value[br + c])
                sample += 1
                first += height * width
            for c in range(channels):
                out[uint64((row * heads + head) * channels + c)] = total[c]


@_compiled('contract', 'nsz', 'reassoc')
def _attend_backward(grad, value, sizes, locations, weights, grad_value, grad_locations, grad_weights, shape, start,
                     stop):
    """Rows ``start`` to ``stop`` of the B*H pairs of image and head; the gradients come as zeros."""
    keys, queries, heads, channels, points = shape
    half, one = value.dtype.type(0.5), value.dtype.type(1)
    for row in range(start, stop):
        image, head = row // heads, row % heads
        for query in range(queries):
            index = (image * queries + query) * heads + head
            g = uint64(index * channels)
            first = image * keys
            sample = index * (len(sizes) // 2) * points
            for level in range(len(sizes) // 2):
                height, width = sizes[2 * level], sizes[2 * level + 1]
                for sample in range(sample, sample + points):
                    x = locations[uint64(2 * sample)] * value.dtype.type(width) - half
                    y = locations[uint64(2 * sample + 1)] * value.dtype.type(height) - half
                    if x > -1 and y > -1 and x < width and y < height:
                        left, right, wl, wr, sl, sr = _neighbours(x, width, one)
                        top, bottom, wt, wb, st, sb = _neighbours(y, height, one)
                        top, bottom = first + top * width, first + bottom * width
                        tl = uint64(((top + left) * heads + head) * channels)
                        tr = uint64(((top + right) * heads + head) * channels)
                        bl = uint64(((bottom + left) * heads + head) * channels)
                        br = uint64(((bottom + right) * heads + head) * channels)
                        gtl = gtr = gbl = gbr = one - one
                        for i in range(channels):
                            c = uint64(i)
                            gg = grad[g + c]
                            gtl += gg * value[tl + c]
                            gtr += gg * value[tr + c]
                            gbl += gg * value[bl + c]
                            gbr += gg * value[br + c]
                        weight = weights[uint64(sample)]
                        upper, lower = wl * gtl + wr * gtr, wl * gbl + wr * gbr
                        grad_weights[uint64(sample)] = wt * upper + wb * lower
                        grad_locations[uint64(2 * sample)] = weight * value.dtype.type(width) * (
                            wt * (sl * gtl + sr * gtr) + wb * (sl * gbl + sr * gbr))
                        grad_locations[uint64(2 * sample + 1)] = weight * value.dtype.type(height) * (
                            st * upper + sb * lower)
                        for cell, part in ((tl, wt * wl), (tr, wt * wr), (bl, wb * wl), (br, wb * wr)):
                            part = part * weight
                            for i in range(channels):
                                grad_value[cell + uint64(i)] += part * grad[g + uint64(i)]
                sample += 1
                first += height * width
