"""Muon for matrices and convolutions, AdamW for the rest."""
from collections import defaultdict
from typing import Callable

import torch
from mmengine.registry import OPTIMIZERS
from torch import Tensor

# Quintic iteration towards singular values of one (K. Jordan, "Muon: an optimizer for hidden layers", 2024).
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices: Tensor, num_steps: int = 5) -> Tensor:
    """Nearest (semi-)orthogonal matrices, roughly: singular values end within about 0.7 to 1.2.

    The iteration runs on the Gram matrix of the shorter side: a convolution (m, 9m) then costs two
    products with the long side instead of two per step.

    Args:
        matrices (Tensor): (K, m, n) floats.
        num_steps (int): steps of the iteration, at least 1.
    """
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonalise(matrices.mT, num_steps).mT
    matrices = matrices / matrices.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    gram = matrices @ matrices.mT
    identity = torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device).expand_as(gram)
    a, b, c = _COEFFICIENTS

    def quintic(gram: Tensor) -> Tensor:
        return a * identity + b * gram + c * (gram @ gram)

    total = step = quintic(gram)
    for _ in range(num_steps - 1):
        gram = step @ gram @ step
        step = quintic(gram)
        total = step @ total
    return total @ matrices


@OPTIMIZERS.register_module()
class MuonAdamW(torch.optim.AdamW):
    """AdamW in which matrices and convolution kernels step along their orthogonalised momentum.

    From random weights it needs fewer samples than AdamW. ``torch.optim.Muon`` takes matrices only.
    A kernel (out, in, h, w) counts as a matrix (out, in * h * w). The step is scaled to the size an AdamW step has
    (0.2 * sqrt(longer side), Liu et al., "Muon is scalable for LLM training", 2025), so that both share
    ``lr`` and ``weight_decay``. A parameter group with ``orthogonal=False`` is left to AdamW: embedding
    tables, or what ``custom_keys`` of ``paramwise_cfg`` names.

    Args:
        params, lr, betas, eps, weight_decay: of ``torch.optim.AdamW``.
        momentum (float): of the gradients of matrices; the step looks one momentum ahead (Nesterov).
        num_steps (int): steps of the orthogonalisation.
    """

    def __init__(self, params, lr: float = 1e-3, momentum: float = 0.95, num_steps: int = 5, **kwargs) -> None:
        super().__init__(params, lr, **kwargs)
        self.momentum, self.num_steps = momentum, num_steps
        # A fused AdamW asks loss scalers to leave overflows to its kernel, which sees no matrices.
        self._step_supports_amp_scaling = False

    @torch.no_grad()
    def step(self, closure: Callable | None = None) -> Tensor | None:
        """One step of both."""
        groups, rest = self.param_groups, {}
        by_shape = defaultdict(list)
        for group in groups:
            # Groups of one parameter each, as mmengine makes them, would cost AdamW a call per parameter.
            options = {key: value for key, value in group.items() if key != 'params'}
            vectors = rest.setdefault(tuple(options.items()), dict(options, params=[]))['params']
            for param in group['params']:
                if param.ndim < 2 or not group.get('orthogonal', True):
                    vectors.append(param)
                else:
                    by_shape[(len(param), param[0].numel())].append((param, group))
        try:
            self.param_groups = list(rest.values())
            loss = super().step(closure)
        finally:
            self.param_groups = groups
        for shape, members in by_shape.items():
            members = [member for member in members if member[0].grad is not None]  # a closure has made them by now
            if members:
                self._step_matrices(shape, *zip(*members))
        return loss

    def _step_matrices(self, shape: tuple[int, int], params: tuple[Tensor, ...], groups: tuple[dict, ...]) -> None:
        """Step matrices of one shape together."""
        states = [self.state[param] for param in params]
        for param, state in zip(params, states):
            if not state:
                # Named as AdamW's, whose loading asks every state for its step.
                state.update(step=torch.zeros(()), exp_avg=torch.zeros_like(param))
            state['step'] += 1
        grads, averages = [param.grad for param in params], [state['exp_avg'] for state in states]
        torch._foreach_lerp_(averages, grads, 1 - self.momentum)
        ahead = torch._foreach_lerp(grads, averages, self.momentum)
        directions = orthogonalise(torch.stack([matrix.reshape(shape) for matrix in ahead]), self.num_steps)
        size = 0.2 * max(shape)**0.5
        steps = [direction.reshape(param.shape) for direction, param in zip(directions, params)]
        torch._foreach_mul_(steps, [-group['lr'] * size for group in groups])
        torch._foreach_mul_(params, [1 - group['lr'] * group['weight_decay'] for group in groups])
        torch._foreach_add_(params, steps)
