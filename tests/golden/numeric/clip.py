"""Gradient clipping: `clip_grad_norm_` with and without effect, by value, timm's adaptive one; and the gradient of L2-SP."""

import torch
from timm.utils.agc import adaptive_clip_grad
from torch import nn

from generator import DTYPES, tensor, u
from writing import flat


def l2_sp(params):
    """Adds the gradient of the penalty, g1 being a new weight; the others start at u(start.NAME)."""
    g0, g1, g2 = params
    start = [tensor(u(f"start.{name}", p.shape), torch.float64) for name, p in (("g0", g0), ("g2", g2))]
    penalty = 0.1 / 2 * sum(((p - s) ** 2).sum() for p, s in zip((g0, g2), start, strict=True))
    (penalty + 0.01 / 2 * (g1**2).sum()).backward()


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
    bounds = [
        ("value", lambda params: nn.utils.clip_grad_value_(params, 0.3)),
        ("adaptive", lambda params: adaptive_clip_grad(params, clip_factor=0.5, eps=1e-3)),
        ("l2_sp", l2_sp),
    ]
    others = {}
    for name, change in bounds:
        params = []
        for key, shape in shapes.items():
            # The first output's weights are next to nothing.
            weights = u(f"w.{key}", shape)
            if len(shape) > 1:
                weights[0] *= 1e-6
            param = nn.Parameter(tensor(weights, torch.float64))
            param.grad = tensor(u(key, shape), torch.float64)
            params.append(param)
        change(params)
        others[name] = {key: flat(p.grad) for key, p in zip(shapes, params, strict=True)}
    return {
        "others": others,
        "note": "gradient NAME is float32(u(NAME) * scale); total_norm is the norm before clipping; "
        "others, in float64: gradients at scale 1 after clipping by value 0.3, adaptively by 0.5, and with the "
        "pull of L2-SP with alpha 0.1 and beta 0.01; weight NAME is u(w.NAME), the first output's times 1e-6 in "
        "those of several dimensions",
        "shapes": {name: list(shape) for name, shape in shapes.items()},
        "cases": cases,
    }
