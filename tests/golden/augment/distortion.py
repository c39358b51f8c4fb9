"""Ops that bend a picture by OpenCV's arithmetic: references and cases."""

import albumentations
import cv2
import numpy as np
from albumentations.augmentations.geometric import functional as fgeometric
from pictures import splitmix64

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
    fill = settings.get("fill", 0)
    return {
        "interpolation": INTERPOLATIONS[settings.get("interpolation", "bilinear")],
        "border_mode": BORDERS[settings.get("border_mode", "constant")],
        "fill": fill if isinstance(fill, list) else [fill] * 3,
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


def bell(sigma, radius):
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return weights / weights.sum()


def splines(part):
    rest = 1 - part
    middle = [(4 - 6 * t**2 + 3 * t**3) / 6 for t in (part, rest)]
    return np.array([rest**3 / 6, *middle, part**3 / 6])


def smooth_noise(width, height, sigma, taps, seed, fields):
    """Kiln's own noise, which has the variance and covariance of the reference's: whole numbers
    of four times 16 bits on a lattice, blurred, and led over by cubic B-splines."""
    wide = bell(sigma, taps // 2)
    variance = (wide * np.arange(-(taps // 2), taps // 2 + 1) ** 2).sum()
    spacing = max(int(np.sqrt(variance) / 2), 1)
    narrow = np.sqrt(max(variance / spacing**2 - 1 / 3, 0.1))
    radius = int(narrow * 3) + 1
    curve = bell(narrow, radius)
    power = np.mean([(np.convolve(curve, splines(part)) ** 2).sum() for part in (0.0, 0.5)])
    step = (wide**2).sum() / power * np.sqrt(3) / 65536

    def lead_over(points, length):
        """From points to pixels, along the first axis."""
        at = np.arange(length)
        weights = np.array([splines(place % spacing / spacing) for place in at])
        return sum(
            weights[:, i].reshape(-1, *[1] * (points.ndim - 1)) * points[at // spacing + i]
            for i in range(4)
        )

    columns, rows = [(length - 1) // spacing + 4 + 2 * radius for length in (width, height)]
    places = np.arange(fields * columns * rows, dtype=np.uint64) + np.uint64(seed)
    bits = splitmix64(places)
    parts = [(bits >> np.uint64(shift)) & np.uint64(0xFFFF) for shift in (0, 16, 32, 48)]
    noise = (sum(part.astype(np.int64) for part in parts) - 2 * 65535) * step
    result = []
    for field in noise.reshape(fields, rows, columns):
        field = np.apply_along_axis(np.convolve, 1, field, curve, "valid")
        field = np.apply_along_axis(np.convolve, 0, field, curve, "valid")
        result.append(lead_over(lead_over(field, height).T, width).T)
    return result


def elastic_transform(image, settings, draw):
    if draw is None:
        return image
    op = albumentations.ElasticTransform(**named(settings))
    image = np.asarray(image)
    height, width = image.shape[:2]
    sigma = settings.get("sigma", 50)
    taps = 17 if settings.get("approximate", False) else round(sigma * 8 + 1) | 1
    fields = 1 if settings.get("same_dxdy", False) else 2
    moves = smooth_noise(width, height, sigma, taps, draw["seed"], fields)
    uniform = settings.get("noise_distribution") == "uniform"
    strength = settings.get("alpha", 1) * (1 / np.sqrt(3) if uniform else 1 / draw["largest"])
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    map_x = (x + strength * moves[0]).astype(np.float32)
    map_y = (y + strength * moves[-1]).astype(np.float32)
    return op.apply(image, map_x=map_x, map_y=map_y)


OPS = {
    "elastic_transform": elastic_transform,
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
            for kind, size in (("noise", (48, 13)), ("extremes", (37, 9))):
                yield case(f"all-{name}", kind, size, [3, -2], [0.9, 1.1], 12.0, **how)
            yield case(f"far-{name}", "noise", (16, 9), [-20, 9], [0.4, 0.3], -100.0, **how)
            for size in ((1, 1), (1, 7), (7, 1), (2, 2)):
                yield case(f"small-{name}", "noise", size, [0, 1], [1.1, 0.8], 20.0, **how)
    fill = {"fill": [9, 200, 70]}
    yield case("fill", "noise", (48, 13), [3, -2], [0.8, 0.9], 33.0, **fill)
    yield case("moved", "noise", (24, 13), [5, 3], [1.0, 1.0], 0.0, **fill)
    yield case("same", "noise", (24, 13), [0, 0], [1.000009, 1.0], 0.0, **fill)
    yield "shift_scale_rotate", "rests", "noise", (7, 5), {"p": 1.0}, None


def optical_distortion_cases():
    def case(name, kind, size, k, *corridor, **settings):
        return "optical_distortion", name, kind, size, {"p": 1.0, **settings}, k, *corridor

    for border in BORDERS:
        for kind, size in (("noise", (37, 13)), ("extremes", (32, 10)), ("noise", (1, 1))):
            yield case(f"camera-{border}", kind, size, -0.8, border_mode=border)
            lens = {"border_mode": border, "mode": "fisheye"}
            yield case(f"fisheye-{border}", kind, size, 0.3, {"within": 1, "except": 0.002}, **lens)
    for k in (0.05, -0.05, 0.0, 3.0):
        yield case(f"{k}", "noise", (37, 13), k, fill=[9, 200, 70])
    yield case("rests", "noise", (7, 5), None)


def grid_distortion_cases():
    steps = [0.7, 1.3, 1.1, 0.81, 1.26, 0.93]

    def case(name, kind, size, across, down, **settings):
        draw = {"across": across, "down": down}
        return "grid_distortion", name, kind, size, {"p": 1.0, **settings}, draw

    for kind, size in (("noise", (37, 26)), ("extremes", (65, 11)), ("gradient", (30, 36))):
        yield case("5", kind, size, steps, steps[::-1])
        yield case("5-free", kind, size, steps, steps[::-1], normalized=False)
    for border in BORDERS:
        how = {"border_mode": border, "normalized": False, "num_steps": 2}
        yield case(f"2-free-{border}", "noise", (37, 13), [1.9, 1.7, 1.0], [1.0, 2.0, 1.0], **how)
    yield case("1", "noise", (37, 13), [0.3, 1.5], [1.6, 0.4], num_steps=1)
    many = [0.5 + i * 7 % 13 / 13 for i in range(20)]
    yield case("19", "noise", (38, 19), many, many[::-1], num_steps=19)
    yield case("fill", "noise", (37, 15), [1.5] * 6, [1.2] * 6, normalized=False, fill=[9, 200, 70])
    yield "grid_distortion", "rests", "noise", (7, 5), {"p": 1.0}, None


def elastic_transform_cases():
    def case(name, kind, size, seed, largest=4.0, **settings):
        draw = {"seed": seed, "largest": largest}
        # Moves are computed in float32 by the crate and in float64 here.
        corridor = {"within": 1, "except": 0.002}
        return "elastic_transform", name, kind, size, {"p": 1.0, **settings}, draw, corridor

    strong = {"alpha": 150.0, "sigma": 5.0}
    for kind, size in (("noise", (37, 23)), ("extremes", (64, 10)), ("gradient", (33, 40))):
        yield case("5", kind, size, 1234567890123, **strong)
    for border in BORDERS:
        yield case(f"far-{border}", "noise", (37, 13), 7, border_mode=border, alpha=900.0, sigma=4.0)
    yield case("same", "noise", (37, 13), 8, same_dxdy=True, **strong)
    yield case("uniform", "noise", (37, 13), 9, noise_distribution="uniform", **strong)
    yield case("approximate", "noise", (37, 13), 10, approximate=True, alpha=150.0, sigma=50.0)
    yield case("default", "noise", (37, 13), 11)
    for sigma in (1.0, 1.7, 2.5, 21.0):
        yield case(f"{sigma}", "noise", (37, 13), 12, 3.5, alpha=20 * sigma**2, sigma=sigma, fill=77)
    for size in ((1, 1), (1, 9), (9, 1)):
        yield case("small", "noise", size, 13, 2.0, **strong)
    yield "elastic_transform", "rests", "noise", (7, 5), {"p": 1.0}, None


def cases():
    yield from elastic_transform_cases()
    yield from optical_distortion_cases()
    yield from grid_distortion_cases()
    yield from shift_scale_rotate_cases()
