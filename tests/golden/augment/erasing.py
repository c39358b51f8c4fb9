"""Ops that take parts away: references and cases."""

import numpy as np
import torch
from albumentations.augmentations.dropout import functional as D
from torchvision.transforms.v2 import functional as V2

# The mean of ImageNet in levels, what erased parts have by default.
MEAN = [124, 116, 104]


def box(left, top, width, height):
    return {"left": left, "top": top, "width": width, "height": height}


def holes(boxes):
    """albumentations' rectangles: the corner and the corner beyond the other end."""
    rows = [[b["left"], b["top"], b["left"] + b["width"], b["top"] + b["height"]] for b in boxes]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def filled(image, boxes, fill):
    return D.cutout(np.asarray(image), holes(boxes), fill, np.random.default_rng(0))


def random_erasing(image, settings, draw):
    levels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    for patch in draw or []:
        value = settings.get("value", MEAN)
        value = [value] * 3 if isinstance(value, int) else value
        color = value if patch["content"] == "value" else patch["content"]["color"]
        color = torch.tensor(color, dtype=torch.uint8)[:, None, None]
        top, left, height, width = (patch["area"][k] for k in ("top", "left", "height", "width"))
        levels = V2.erase(levels, top, left, height, width, color)
    return levels.permute(1, 2, 0).numpy()


def cutout(image, settings, draw):
    return np.asarray(image) if draw is None else filled(image, draw, settings.get("fill", MEAN))


OPS = {"cutout": cutout, "random_erasing": random_erasing}


def random_erasing_cases():
    def case(name, kind, size, patches, **settings):
        draw = patches
        if patches is not None:
            draw = [{"area": box(*area), "content": content} for area, content in patches]
        return "random_erasing", name, kind, size, settings, draw

    yield case("default", "noise", (20, 15), [((4, 3, 9, 7), "value")])
    yield case("level", "noise", (13, 7), [((0, 0, 12, 6), "value")], value=77)
    yield case("color", "extremes", (13, 7), [((12, 0, 1, 6), "value")], value=[255, 0, 128])
    colors = [((2, 1, 5, 9), {"color": [9, 200, 31]}), ((4, 3, 11, 4), {"color": [250, 7, 7]})]
    yield case("random", "gradient", (20, 15), colors, mode="random", max_count=2)
    yield case("nothing-fits", "noise", (1, 1), [])
    yield case("rests", "noise", (13, 7), None)


def cutout_cases():
    def case(name, kind, size, boxes, **settings):
        boxes = boxes if boxes is None else [box(*b) for b in boxes]
        return "cutout", name, kind, size, settings, boxes

    yield case("default", "noise", (31, 23), [(9, 3, 16, 16)])
    yield case("corners", "gradient", (31, 23), [(0, 0, 5, 3), (27, 20, 4, 3)], n_holes=2)
    yield case("level", "extremes", (13, 7), [(3, 1, 4, 4)], length=4, fill=0)
    yield case("color", "noise", (13, 7), [(0, 5, 1, 2)], length=2, fill=[1, 2, 255])
    yield case("single", "noise", (1, 1), [(0, 0, 1, 1)], length=2)
    yield case("rests", "noise", (13, 7), None, p=0.5)


def cases():
    yield from random_erasing_cases()
    yield from cutout_cases()
