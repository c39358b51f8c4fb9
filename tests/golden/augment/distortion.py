"""Ops that bend a picture by OpenCV's arithmetic: references and cases."""

import albumentations
import cv2
import numpy as np
from albumentations.augmentations.geometric import functional as fgeometric

BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "reflect_101": cv2.BORDER_REFLECT_101,
    "replicate": cv2.BORDER_REPLICATE,
}
INTERPOLATIONS = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR}
# OpenCV rounds otherwise in the last columns of a row, fewer than a vector has.
NEARLY = {"within": 1, "except": 0.003}


def named(settings):
    """The settings that all of these ops have, as albumentations calls them."""
    return {
        "interpolation": INTERPOLATIONS[settings.get("interpolation", "bilinear")],
        "border_mode": BORDERS[settings.get("border_mode", "constant")],
        "fill": settings.get("fill", 0),
    }


def shift_scale_rotate(image, settings, draw):
    if draw is None:
        return image
    op = albumentations.ShiftScaleRotate(**named(settings))
    image = np.asarray(image)
    axes = ("x", "y")
    matrix = fgeometric.create_affine_transformation_matrix(
        dict(zip(axes, draw["shift"], strict=True)),
        {"x": -0.0, "y": -0.0},
        dict(zip(axes, draw["scale"], strict=True)),
        draw["angle"],
        fgeometric.center(image.shape),
    )
    return op.apply(image, matrix=matrix, output_shape=image.shape[:2])


def optical_distortion(image, settings, draw):
    if draw is None:
        return image
    op = albumentations.OpticalDistortion(**named(settings))
    maps = {
        "camera": fgeometric.get_camera_matrix_distortion_maps,
        "fisheye": fgeometric.get_fisheye_distortion_maps,
    }[settings.get("mode", "camera")]
    image = np.asarray(image)
    map_x, map_y = maps(image.shape[:2], draw)
    return op.apply(image, map_x=map_x, map_y=map_y)


def grid_distortion(image, settings, draw):
    if draw is None:
        return image
    op = albumentations.GridDistortion(**named(settings))
    image, count = np.asarray(image), settings.get("num_steps", 5)
    steps = {"steps_x": list(draw["across"]), "steps_y": list(draw["down"])}
    if settings.get("normalized", True):
        steps = fgeometric.normalize_grid_distortion_steps(
            image.shape[:2], count, steps["steps_x"], steps["steps_y"]
        )
    map_x, map_y = fgeometric.generate_grid(image.shape[:2], **steps, num_steps=count)
    return op.apply(image, map_x=map_x, map_y=map_y)


OPS = {
    "grid_distortion": grid_distortion,
    "optical_distortion": optical_distortion,
    "shift_scale_rotate": shift_scale_rotate,
}


def shift_scale_rotate_cases():
    def case(name, kind, size, shift, scale, angle, **settings):
        draw = {"shift": shift, "scale": scale, "angle": angle}
        return "shift_scale_rotate", name, kind, size, {"p": 1.0, **settings}, draw, NEARLY

    for border in BORDERS:
        for interpolation in INTERPOLATIONS:
            how = {"border_mode": border, "interpolation": interpolation}
            name = f"{border}-{interpolation}"
            for kind, size in (("noise", (48, 23)), ("extremes", (37, 20)), ("gradient", (33, 40))):
                yield case(f"all-{name}", kind, size, [3, -2], [0.9, 1.1], 12.0, **how)
            yield case(f"far-{name}", "noise", (32, 13), [-30, 9], [0.4, 0.3], -100.0, **how)
            for size in ((1, 1), (1, 7), (7, 1), (2, 2)):
                yield case(f"small-{name}", "noise", size, [0, 1], [1.1, 0.8], 20.0, **how)
    fill = {"fill": [9, 200, 70]}
    yield case("fill", "noise", (48, 23), [3, -2], [0.8, 0.9], 33.0, **fill)
    yield case("moved", "noise", (48, 23), [5, 3], [1.0, 1.0], 0.0, **fill)
    yield case("same", "noise", (48, 23), [0, 0], [1.000009, 1.0], 0.0, **fill)
    yield "shift_scale_rotate", "rests", "noise", (7, 5), {"p": 1.0}, None


def optical_distortion_cases():
    def case(name, kind, size, k, *corridor, **settings):
        return "optical_distortion", name, kind, size, {"p": 1.0, **settings}, k, *corridor

    for border in BORDERS:
        for kind, size in (("noise", (37, 23)), ("extremes", (64, 20)), ("noise", (1, 1))):
            yield case(f"camera-{border}", kind, size, -0.8, border_mode=border)
            lens = {"border_mode": border, "mode": "fisheye"}
            yield case(f"fisheye-{border}", kind, size, 0.3, {"within": 1, "except": 0.002}, **lens)
    for k in (0.05, -0.05, 0.0, 3.0):
        yield case(f"{k}", "noise", (37, 23), k, fill=[9, 200, 70])
    yield case("rests", "noise", (7, 5), None)


def grid_distortion_cases():
    steps = [0.7, 1.3, 1.1, 0.81, 1.26, 0.93]

    def case(name, kind, size, across, down, **settings):
        draw = {"across": across, "down": down}
        return "grid_distortion", name, kind, size, {"p": 1.0, **settings}, draw

    for kind, size in (("noise", (37, 26)), ("extremes", (65, 30)), ("gradient", (50, 41))):
        yield case("5", kind, size, steps, steps[::-1])
        yield case("5-free", kind, size, steps, steps[::-1], normalized=False)
    for border in BORDERS:
        how = {"border_mode": border, "normalized": False, "num_steps": 2}
        yield case(f"2-free-{border}", "noise", (37, 26), [1.9, 1.7, 1.0], [1.0, 2.0, 1.0], **how)
    yield case("1", "noise", (37, 26), [0.3, 1.5], [1.6, 0.4], num_steps=1)
    many = [0.5 + i * 7 % 13 / 13 for i in range(20)]
    yield case("19", "noise", (57, 38), many, many[::-1], num_steps=19)
    yield case("fill", "noise", (37, 26), [1.5] * 6, [1.2] * 6, normalized=False, fill=[9, 200, 70])
    yield "grid_distortion", "rests", "noise", (7, 5), {"p": 1.0}, None


def cases():
    yield from optical_distortion_cases()
    yield from grid_distortion_cases()
    yield from shift_scale_rotate_cases()
