"""Gradient clipping: `clip_grad_norm_` with and without effect."""

import torch
from torch import nn

from generator import DTYPES, tensor, u
from writing import flat


def fixture():
    """Both scales of the gradients in both precisions."""
    shapes = {"g0": (3, 4), "g1": (7,), "g2": (2, 3, 3, 3)}
    cases = []
    for scale in (1.0, 0.001):
        case = {"scale": scale, "max_norm": 1.0}
        for label, dtype in DTYPES.items():
            params = []
            for name, shape in shapes.items():
                param = nn.Parameter(torch.zeros(shape, dtype=dtype))
                param.grad = tensor(u(name, shape) * scale, dtype)
                params.append(param)
            total = nn.utils.clip_grad_norm_(params, 1.0)
            case[label] = {
                "total_norm": flat(total)[0],
                "clipped": {name: flat(p.grad) for name, p in zip(shapes, params, strict=True)},
            }
        cases.append(case)
    return {
        "note": "gradient NAME is float32(u(NAME) * scale); total_norm is the norm before clipping",
        "shapes": {name: list(shape) for name, shape in shapes.items()},
        "cases": cases,
    }
