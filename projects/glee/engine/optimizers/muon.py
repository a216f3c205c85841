"""torch's Muon for matrices and convolution kernels and its AdamW for the rest, as one optimizer."""
import math
from collections import defaultdict
from typing import Callable, Sequence

import torch
from mmengine.registry import OPTIMIZERS
from torch import Tensor


def orthogonalise(matrices: Sequence[Tensor], coefficients: tuple[float, float, float], steps: int,
                  eps: float) -> list[Tensor]:
    """Newton-Schulz iteration of ``torch.optim.Muon`` in bfloat16, matrices of one size as one product.

    Args:
        matrices (Sequence[Tensor]): (n, m) each.
        coefficients (tuple[float, float, float]): of a matrix, its cube and its fifth power.
        steps (int): iterations.
        eps (float): smallest norm that is divided by.

    Returns:
        list[Tensor]: as the matrices, bfloat16, singular values near 1.
    """
    linear, cubic, quintic = coefficients
    sizes = defaultdict(list)
    for index, matrix in enumerate(matrices):
        sizes[tuple(sorted(matrix.shape))].append(index)
    found = [None] * len(matrices)
    for indices in sizes.values():
        is_tall = [matrices[index].shape[0] > matrices[index].shape[1] for index in indices]
        stack = torch.stack([matrices[index].mT if tall else matrices[index]
                             for index, tall in zip(indices, is_tall)]).bfloat16()
        stack /= stack.flatten(1).norm(dim=1).clamp(min=eps)[:, None, None]
        for _ in range(steps):
            gram = stack @ stack.mT
            stack = torch.baddbmm(stack, torch.baddbmm(gram, gram, gram, beta=cubic, alpha=quintic), stack, beta=linear)
        for index, tall, matrix in zip(indices, is_tall, stack):
            found[index] = matrix.mT if tall else matrix
    return found


class StackedMuon(torch.optim.Muon):
    """``torch.optim.Muon(adjust_lr_fn='match_rms_adamw')`` in fewer calls, on which small matrices spend their time.

    Options but ``lr`` and ``weight_decay`` are those of the first group.
    """

    @torch.no_grad()
    def step(self) -> None:
        """One step of all matrices that have a gradient."""
        options = self.param_groups[0]
        members = [(group, param) for group in self.param_groups for param in group['params'] if param.grad is not None]
        updates = [self._momentum(param, options['momentum']) for _, param in members]
        updates = orthogonalise(updates, options['ns_coefficients'], options['ns_steps'], options['eps'])
        for (group, param), update in zip(members, updates):
            param.mul_(1 - group['lr'] * group['weight_decay'])
            # as large as a step of AdamW
            param.add_(update, alpha=-group['lr'] * 0.2 * math.sqrt(max(param.shape)))

    def _momentum(self, param: Tensor, momentum: float) -> Tensor:
        """Nesterov's mean of the gradients."""
        state = self.state[param]
        if 'momentum_buffer' not in state:
            state['momentum_buffer'] = torch.zeros_like(param.grad)
        mean = state['momentum_buffer'].lerp_(param.grad, 1 - momentum)
        return param.grad.lerp(mean, momentum)


@OPTIMIZERS.register_module()
class MuonAdamW(torch.optim.Optimizer):
    """Muon (``StackedMuon``) and ``torch.optim.AdamW`` behind the parameter groups that schedulers and wrappers read.

    From random weights it needs fewer samples than AdamW alone (docs/training.md). A kernel (out, in, h, w) counts as
    a matrix (out, in * h * w), as ``torch.optim.Muon`` takes matrices only. The step of a matrix is scaled to the size
    an AdamW step has ('match_rms_adamw'), so that both share ``lr`` and ``weight_decay``. A parameter group with
    ``orthogonal=False`` is left to AdamW: embedding tables, or what ``custom_keys`` of ``paramwise_cfg`` names.

    Args:
        params: parameters or groups of them.
        lr (float), weight_decay (float): of both.
        betas (tuple[float, float]), eps (float), fused (bool): of AdamW.
        momentum (float), ns_steps (int): of Muon.
    """

    def __init__(self,
                 params,
                 lr: float = 1e-3,
                 weight_decay: float = 0.05,
                 betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8,
                 fused: bool = False,
                 momentum: float = 0.95,
                 ns_steps: int = 5) -> None:
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, orthogonal=True))
        self._matrices: list[tuple[Tensor, Tensor]] = []  # each kernel and what Muon sees of it
        for_muon, for_adamw = [], []
        for group in self.param_groups:
            matrices = [p for p in group['params'] if p.ndim > 1 and group['orthogonal']]
            rest = [p for p in group['params'] if p.ndim <= 1 or not group['orthogonal']]
            for_muon += [(group, [self._as_matrix(p) for p in matrices])] if matrices else []
            for_adamw += [(group, rest)] if rest else []
        self._parts: dict[str, torch.optim.Optimizer] = {}
        if for_muon:
            self._parts['muon'] = StackedMuon(
                [dict(params=members) for _, members in for_muon], momentum=momentum, ns_steps=ns_steps)
        if for_adamw:
            self._parts['adamw'] = torch.optim.AdamW(
                [dict(params=members) for _, members in for_adamw], betas=betas, eps=eps, fused=fused)
        self._sources = [group for group, _ in for_muon + for_adamw]  # of the groups of the parts, in their order

    def _as_matrix(self, param: Tensor) -> Tensor:
        if param.ndim == 2:
            return param
        self._matrices.append((param, param.detach().flatten(1)))
        return self._matrices[-1][1]

    @torch.no_grad()
    def step(self, closure: Callable | None = None) -> Tensor | None:
        """One step of both."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        inner_groups = [group for part in self._parts.values() for group in part.param_groups]
        for group, inner in zip(self._sources, inner_groups, strict=True):
            inner['lr'], inner['weight_decay'] = group['lr'], group['weight_decay']
        for param, matrix in self._matrices:
            matrix.data = param.detach().flatten(1)
            matrix.grad = None if param.grad is None else param.grad.flatten(1)
        for part in self._parts.values():
            part.step()
        for param, matrix in self._matrices:
            param.copy_(matrix.view_as(param))  # where another memory layout made flatten copy
            matrix.grad = None
        return loss

    def state_dict(self) -> dict:
        """States of both parts and the options of the groups."""
        groups = [{key: value for key, value in group.items() if key != 'params'} for group in self.param_groups]
        return dict(parts={name: part.state_dict() for name, part in self._parts.items()}, param_groups=groups)

    def load_state_dict(self, state_dict: dict) -> None:
        """Continue from ``state_dict``.

        Raises:
            ValueError: it is of another optimizer, or of other parameter groups.
        """
        if set(state_dict.get('parts', ())) != set(self._parts) or len(state_dict['param_groups']) != len(
                self.param_groups):
            raise ValueError('the state of the optimizer is not one of MuonAdamW for these parameters: start a new '
                             'training from the weights (load_from=...)')
        for name, part in self._parts.items():
            part.load_state_dict(state_dict['parts'][name])
        for group, saved in zip(self.param_groups, state_dict['param_groups'], strict=True):
            group.update(saved)
