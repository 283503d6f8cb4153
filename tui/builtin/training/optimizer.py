"""Muon for the matrices of the blocks, Adam for the rest.

Muon (Jordan and others, 2024) makes every step of a matrix nearly orthogonal by five Newton-Schulz iterations, which
learns from about half as many tokens as Adam does; here that is the difference between one hour and two.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import Executor
from typing import Any

import torch
from torch import Tensor

from tui.builtin.training.network import Weights

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the Newton-Schulz iteration, from its authors."""
_MOMENTUM = 0.95
_DECAY = 0.05
"""Of the matrices, times the rate."""
_GROUP = 5
"""So many matrices are made orthogonal together."""
_BETAS = (0.9, 0.95)


class Optimizer:
    """Changes weights in place. `matrix_rate` is Muon's rate, `rate` Adam's."""

    def __init__(self, weights: Weights, matrix_rate: float = 0.02, rate: float = 0.004) -> None:
        self._weights = weights
        self._rates = matrix_rate, rate
        sizes: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for name, weight in weights.items():
            if _is_matrix(name):
                sizes[tuple(weight.shape)].append(name)
        self._groups = [names[at : at + _GROUP] for names in sizes.values() for at in range(0, len(names), _GROUP)]
        self._momenta = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self._squares = {name: torch.zeros_like(w) for name, w in weights.items() if not _is_matrix(name)}
        self._steps = 0

    def step(self, gradients: Weights, factor: float, pool: Executor) -> None:
        """One step with the gradients of all weights; `factor` scales both rates, `pool` computes matrices."""
        self._steps += 1
        matrix_rate, rate = (value * factor for value in self._rates)
        for done in [pool.submit(self._step_matrices, names, gradients, matrix_rate) for names in self._groups]:
            done.result()
        first, second = (1 - beta**self._steps for beta in _BETAS)
        with torch.no_grad():
            for name, squares in self._squares.items():
                gradient = gradients[name]
                momentum = self._momenta[name].lerp_(gradient, 1 - _BETAS[0])
                squares.lerp_(gradient.square(), 1 - _BETAS[1])
                self._weights[name].sub_(rate * (momentum / first) / ((squares / second).sqrt() + 1e-10))

    def _step_matrices(self, names: list[str], gradients: Weights, rate: float) -> None:
        """Muon's step for matrices of the same size."""
        with torch.no_grad():
            directions = []
            for name in names:
                momentum = self._momenta[name].lerp_(gradients[name], 1 - _MOMENTUM)
                directions.append(gradients[name].lerp(momentum, _MOMENTUM))
            rows, columns = directions[0].shape
            scale = max(1.0, rows / columns) ** 0.5
            for name, direction in zip(names, _orthogonal(torch.stack(directions)), strict=True):
                self._weights[name].mul_(1 - rate * _DECAY).sub_(direction, alpha=rate * scale)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"momenta": self._momenta, "squares": self._squares, "steps": self._steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._momenta, self._squares, self._steps = state["momenta"], state["squares"], state["steps"]


def _is_matrix(name: str) -> bool:
    return name.startswith("blk.") and "norm" not in name


def _orthogonal(matrices: Tensor) -> Tensor:
    """The nearest orthogonal matrix to each of a stack, about."""
    a, b, c = _COEFFICIENTS
    wide = matrices.shape[1] <= matrices.shape[2]
    made = matrices if wide else matrices.mT
    made = made / (made.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        squares = made @ made.mT
        made = a * made + (b * squares + c * squares @ squares) @ made
    return made if wide else made.mT
