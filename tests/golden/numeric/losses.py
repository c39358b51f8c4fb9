"""Losses: cross-entropy with label smoothing, per sample, as a mean, and its gradient."""

import torch
import torch.nn.functional as F

from generator import DTYPES, tensor, u
from writing import flat

CLASSES = 10


def fixture():
    """Every amount of smoothing in both precisions."""
    labels = torch.tensor([i * 3 % CLASSES for i in range(8)])
    cases = []
    for smoothing in (0.0, 0.1, 0.3):
        case = {"label_smoothing": smoothing}
        for label, dtype in DTYPES.items():
            logits = tensor(u("logits", (8, CLASSES)) * 4.0, dtype).requires_grad_()
            each = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
            mean = F.cross_entropy(logits, labels, label_smoothing=smoothing)
            mean.backward()
            case[label] = {
                "per_sample": flat(each),
                "mean": flat(mean)[0],
                "grad": flat(logits.grad),
            }
        cases.append(case)
    return {
        "note": "logits [8, 10] are u(logits) * 4; grad is that of the mean, row-major",
        "labels": labels.tolist(),
        "cases": cases,
    }
