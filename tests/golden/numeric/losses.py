"""Losses: cross-entropy with label smoothing, per sample, as a mean, and its gradient."""

import torch
import torch.nn.functional as F
from torch import nn

from timm.loss import BinaryCrossEntropy

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
        "note": (
            "logits [8, 10] are u(logits) * 4; grad is that of the mean, row-major; mixed pictures "
            "are 0.3 of their label and 0.7 of the next one"
        ),
        "others": [other(*case[:4], case[4] if len(case) > 4 else None, labels) for case in others()],
        "labels": labels.tolist(),
        "cases": cases,
    }


def others():
    """Kiln's settings, whether pictures are mixed, the smoothing timm applies, the loss of soft targets, class weights."""

    def soft(logits, targets):
        return -(targets * F.log_softmax(logits, 1)).sum(1).mean()

    def focal(gamma):
        def loss(logits, targets):
            log_p = F.log_softmax(logits, 1)
            return -(targets * (1 - log_p.exp()) ** gamma * log_p).sum(1).mean()

        return loss

    def binary(**options):
        return BinaryCrossEntropy(smoothing=0.0, **options)

    bce = {"type": "binary_cross_entropy"}
    yield {"type": "cross_entropy", "label_smoothing": 0.1}, True, 0.1, soft
    # K - 1 other classes: as much over all classes leaves 1 - 0.2 on the true one.
    others = {"type": "cross_entropy", "label_smoothing": 0.2, "smooth_over": "other_classes"}
    yield others, False, 0.2 * CLASSES / (CLASSES - 1), soft
    yield {**bce, "label_smoothing": 0.1}, False, 0.1, binary()
    yield {**bce, "label_smoothing": 0.1, "sum_classes": True}, True, 0.1, binary(sum_classes=True)
    thresholded = {**bce, "label_smoothing": 0.1, "target_threshold": 0.2}
    yield thresholded, True, 0.1, binary(target_threshold=0.2)
    yield {"type": "focal", "gamma": 2.0}, False, 0.0, focal(2.0)
    yield {"type": "focal", "gamma": 1.5, "label_smoothing": 0.1}, True, 0.1, focal(1.5)
    weights = [0.25 + 0.25 * i for i in range(CLASSES)]
    as_tensor = torch.tensor(weights, dtype=torch.float64)
    cross_entropy = nn.CrossEntropyLoss(weight=as_tensor)
    yield {"type": "cross_entropy", "label_smoothing": 0.1}, True, 0.1, cross_entropy, weights
    yield bce, False, 0.0, nn.BCEWithLogitsLoss(weight=as_tensor), weights


def other(spec, mixed, smoothing, loss, class_weights, labels):
    """One of them in double precision."""
    off = smoothing / CLASSES
    one_hot = lambda of: torch.full((8, CLASSES), off, dtype=torch.float64).scatter_(  # noqa: E731
        1, of[:, None], 1 - smoothing + off
    )
    targets = one_hot(labels)
    if mixed:
        targets = 0.3 * targets + 0.7 * one_hot((labels + 1) % CLASSES)
    logits = tensor(u("logits", (8, CLASSES)) * 4.0, torch.float64).requires_grad_()
    mean = loss(logits, targets)
    mean.backward()
    case = {"spec": spec, "mixed": mixed, "mean": flat(mean)[0], "grad": flat(logits.grad)}
    return {**case, "class_weights": class_weights} if class_weights else case
