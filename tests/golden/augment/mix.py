"""Mixed batches of `timm.data.Mixup`: its own class with its random numbers replaced by given ones."""

import numpy as np
import torch
from timm.data import mixup as timm_mixup

from pictures import noise

COUNT, WIDTH, HEIGHT, CLASSES = 4, 7, 6, 4
LABELS = [3, 1, 0, 1]


def batch():
    pictures = [noise(f"mix {i} {WIDTH}x{HEIGHT}", WIDTH, HEIGHT) for i in range(COUNT)]
    return torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32))


class Numbers:
    """`numpy.random` with given results."""

    def __init__(self, rand=(), beta=(), randint=()):
        self.queues = {"rand": list(rand), "beta": list(beta), "randint": list(randint)}

    def rand(self):
        return self.queues["rand"].pop(0)

    def beta(self, _a, _b):
        return self.queues["beta"].pop(0)

    def randint(self, _low, _high, size=None):
        assert size is None
        return self.queues["randint"].pop(0)


def case(name, numbers, smoothing=0.0, **settings):
    op = timm_mixup.Mixup(label_smoothing=smoothing, num_classes=CLASSES, **settings)
    boxes = []
    original = timm_mixup.cutmix_bbox_and_lam

    def recorded(*args, **kwargs):
        box, lam = original(*args, **kwargs)
        top, bottom, left, right = (int(side) for side in box)
        boxes.append({"left": left, "top": top, "width": right - left, "height": bottom - top})
        return box, lam

    saved, timm_mixup.cutmix_bbox_and_lam = timm_mixup.np.random, recorded
    timm_mixup.np.random = numbers
    try:
        x = batch()
        lam = float(op._mix_batch(x))
    finally:
        timm_mixup.np.random, timm_mixup.cutmix_bbox_and_lam = saved, original
    target = timm_mixup.mixup_target(torch.tensor(LABELS), CLASSES, lam, smoothing)
    return {
        "name": name,
        "lambda": lam,
        "box": boxes[0] if boxes else None,
        "smoothing": smoothing,
        "targets": target.numpy().ravel().tolist(),
        "bits": x.contiguous().numpy().view(np.uint32).ravel().tolist(),
    }


def table():
    cut = {"mixup_alpha": 0.0, "cutmix_alpha": 1.0}
    return {
        "count": COUNT,
        "width": WIDTH,
        "height": HEIGHT,
        "classes": CLASSES,
        "labels": LABELS,
        "cases": [
            case("mixup", Numbers([0.1], [0.3]), mixup_alpha=0.2),
            case("mixup-smoothed", Numbers([0.1], [0.71]), 0.1, mixup_alpha=0.2),
            case("cutmix", Numbers([0.1], [0.4], [3, 2]), **cut),
            case("cutmix-corner", Numbers([0.1], [0.2], [0, 6]), 0.1, **cut),
            case("cutmix-nothing", Numbers([0.1], [0.999], [3, 3]), **cut),
            case(
                "cutmix-minmax",
                Numbers([0.1], [0.5], [3, 4, 2, 1]),
                cutmix_minmax=[0.2, 0.8],
                mixup_alpha=0.0,
            ),
        ],
    }
