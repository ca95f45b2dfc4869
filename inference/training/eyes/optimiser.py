"""Muon for the matrices of the blocks: momentum whose singular values are made equal.

K. Jordan and others, "Muon: An optimizer for hidden layers in neural networks" (2024); the five
Newton-Schulz steps and their coefficients are from there. Vectors, embeddings and heads take AdamW.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import torch

Tensor: TypeAlias = torch.Tensor

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalised(stack: Tensor, steps: int = 5) -> Tensor:
    """Return (number, row, column) matrices with singular values near 1."""
    x = stack.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.transpose(1, 2)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.transpose(1, 2)
        x = _A * x + (_B * square + _C * square @ square) @ x
    return (x.transpose(1, 2) if tall else x).float()


class Muon(torch.optim.Optimizer):  # type: ignore[misc]
    """Momentum 0.95 (Nesterov), orthogonalised; matrices of one shape are handled together."""

    def __init__(self, matrices: Iterable[Tensor], *, rate: float, decay: float) -> None:
        shapes: dict[tuple[int, ...], list[Tensor]] = {}
        for matrix in matrices:
            shapes.setdefault(tuple(matrix.shape), []).append(matrix)
        super().__init__(
            [{"params": group} for group in shapes.values()],
            {"lr": rate, "weight_decay": decay, "momentum": 0.95},
        )

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Any = None) -> None:
        """Move all matrices that have a gradient."""
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None]
            if not moved:
                continue
            directions = []
            for p in moved:
                momentum = self.state[p].setdefault("momentum", torch.zeros_like(p))
                momentum.lerp_(p.grad, 1 - group["momentum"])
                directions.append(p.grad.lerp(momentum, group["momentum"]))
            rows, columns = moved[0].shape
            scale = group["lr"] * max(1.0, rows / columns) ** 0.5
            for p, direction in zip(moved, orthogonalised(torch.stack(directions)), strict=True):
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(direction, alpha=-scale)
