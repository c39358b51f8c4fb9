"""Ops that take parts away: references and cases."""

import math

import numpy as np
import torch
from albumentations import CoarseDropout, GridDropout
from albumentations.augmentations.dropout import functional as D
from PIL import Image
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


def dropout(op):
    def reference(image, settings, draw):
        fill = settings.get("fill", 0)
        fill = tuple(fill) if isinstance(fill, list) else fill
        image = np.asarray(image)
        return image if draw is None else op(fill=fill).apply(image, holes(draw["boxes"]), 0)

    return reference


def grid_mask(image, settings, draw):
    """The authors' arithmetic; there is no library to call."""
    image = np.array(image)
    if draw is None:
        return image
    (h, w), unit = image.shape[:2], draw["unit"]
    side = math.ceil(math.sqrt(h * h + w * w))
    band = math.ceil(unit * settings.get("ratio", 0.5))
    kept = np.ones((side, side), np.uint8)
    for first, lines in ((draw["top"], kept), (draw["left"], kept.T)):
        for start in range(first - unit, side + unit, unit):
            lines[max(start, 0) : max(start + band, 0)] = 0
    kept = np.asarray(Image.fromarray(kept).rotate(draw["angle"]))
    top, left = (side - h) // 2, (side - w) // 2
    kept = kept[top : top + h, left : left + w]
    filled = kept == (0 if settings.get("mode") == "bands" else 1)
    image[filled] = settings.get("fill", MEAN)
    return image


def hide_and_seek(image, settings, draw):
    if draw is None or draw["side"] == 0:
        return np.asarray(image)
    side, columns = draw["side"], -(-image.width // draw["side"])
    cells = [divmod(cell, columns) for cell in draw["cells"]]
    boxes = [box(x * side, y * side, side, side) for y, x in cells]
    return filled(image, boxes, settings.get("fill", MEAN))


OPS = {
    "coarse_dropout": dropout(CoarseDropout),
    "cutout": cutout,
    "grid_dropout": dropout(GridDropout),
    "grid_mask": grid_mask,
    "hide_and_seek": hide_and_seek,
    "random_erasing": random_erasing,
}


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


def coarse_dropout_cases():
    def case(name, kind, size, boxes, **settings):
        draw = boxes if boxes is None else {"boxes": [box(*b) for b in boxes]}
        return "coarse_dropout", name, kind, size, settings, draw

    yield case("default", "noise", (31, 23), [(7, 9, 5, 4)])
    overlapping = [(0, 0, 9, 9), (4, 3, 9, 9), (22, 14, 9, 9), (3, 3, 1, 20)]
    yield case("overlapping", "gradient", (31, 23), overlapping, fill=[9, 250, 128])
    pixels = {"hole_height_range": [2, 4], "hole_width_range": [3, 3]}
    yield case("pixels", "extremes", (13, 7), [(10, 3, 3, 4)], fill=255, **pixels)
    yield case("empty", "noise", (1, 1), [(0, 0, 0, 0)])
    yield case("rests", "noise", (13, 7), None)


def grid_dropout_cases():
    def case(name, kind, size, boxes, **settings):
        draw = boxes if boxes is None else {"boxes": boxes}
        return "grid_dropout", name, kind, size, settings, draw

    def grid(name, kind, size, ratio, columns, rows, shift):
        """All cells are equal, so that shuffling them changes nothing."""
        shape, rng = (size[1], size[0]), np.random.default_rng(0)
        assert size[0] % columns == 0 and size[1] % rows == 0
        found = D.generate_grid_holes(shape, (rows, columns), ratio, False, shift, rng)
        boxes = [box(*map(int, (x, y, right - x, end - y))) for x, y, right, end in found]
        settings = {"ratio": ratio, "holes_number_xy": [columns, rows], "shift_xy": list(shift)}
        return case(name, kind, size, boxes, p=1, random_offset=False, **settings)

    yield grid("even", "noise", (30, 24), 0.5, 3, 4, (0, 0))
    yield grid("shifted", "gradient", (30, 24), 0.34, 5, 2, (2, 3))
    yield grid("far", "extremes", (20, 12), 0.7, 2, 2, (5, 9))
    yield grid("full", "noise", (12, 9), 1.0, 3, 3, (0, 0))
    yield grid("tiny", "noise", (12, 9), 0.01, 6, 3, (1, 0))
    yield grid("pixels", "noise", (4, 3), 0.5, 4, 3, (0, 0))
    boxes = [box(1, 0, 3, 2), box(6, 2, 4, 3), box(0, 4, 3, 3), box(7, 5, 4, 2)]
    yield case("color", "noise", (13, 7), boxes, fill=[1, 200, 3])
    yield case("rests", "noise", (13, 7), None)


def grid_mask_cases():
    def case(name, kind, size, grid, **settings):
        draw = grid and dict(zip(("unit", "top", "left", "angle"), grid, strict=True))
        return "grid_mask", name, kind, size, settings, draw

    yield case("default", "noise", (40, 30), (11, 3, 7, 0))
    yield case("bands", "noise", (40, 30), (11, 3, 7, 0), mode="bands", ratio=0.3, fill=0)
    for angle in (1, 30, 45, 90, 133, 180, 270, 359):
        settings = {"rotate": 360, "ratio": 0.4}
        yield case(f"turned-{angle}", "noise", (40, 30), (9, 8, 0, angle), **settings)
    settings = {"rotate": 360, "mode": "bands", "ratio": 0.2, "fill": [255, 0, 9]}
    yield case("turned-bands", "gradient", (31, 40), (7, 1, 5, 217), **settings)
    yield case("wide", "extremes", (23, 9), (200, 150, 90, 20), rotate=360, ratio=0.6)
    yield case("all", "noise", (7, 5), (4, 0, 0, 0), ratio=0)
    yield case("single", "noise", (1, 1), (4, 1, 1, 77), ratio=0.25)
    yield case("rests", "noise", (13, 7), None)


def hide_and_seek_cases():
    def case(name, kind, size, side, cells, **settings):
        draw = side if side is None else {"side": side, "cells": cells}
        return "hide_and_seek", name, kind, size, settings, draw

    yield case("default", "noise", (40, 30), 16, [0, 2, 4])
    yield case("small", "gradient", (23, 11), 3, [0, 1, 5, 7, 9, 16, 25, 31], fill=0)
    yield case("color", "extremes", (13, 7), 4, [3, 7], fill=[1, 2, 250])
    yield case("whole", "noise", (13, 7), 56, [0])
    yield case("none", "noise", (13, 7), 0, [])
    yield case("single", "noise", (1, 1), 16, [0])
    yield case("rests", "noise", (13, 7), None, None)


def cases():
    yield from random_erasing_cases()
    yield from cutout_cases()
    yield from coarse_dropout_cases()
    yield from grid_dropout_cases()
    yield from grid_mask_cases()
    yield from hide_and_seek_cases()
