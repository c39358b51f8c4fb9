"""Ops that blur, and what a file format does: references and cases."""

import random

import numpy as np
from albumentations.augmentations.blur import functional as B
from albumentations.augmentations.pixel import functional as P


def blur(image, _, draw):
    return B.box_blur(np.asarray(image), draw)


def median_blur(image, _, draw):
    return B.median_blur(np.asarray(image), draw)


def gaussian_blur(image, _, draw):
    kernel = B.create_gaussian_kernel_1d(draw["sigma"], draw["kernel"])
    return P.separable_convolve(np.asarray(image), kernel)


class Shift(random.Random):
    """Gives the shift of a draw in place of randomness."""

    def __init__(self, shift):
        super().__init__()
        self.shift = list(shift)

    def uniform(self, *_):
        return self.shift.pop(0)


def motion_blur(image, _, draw):
    # Without a shift albumentations adds none, which is the same as adding 0.
    kernel = B.create_motion_kernel(
        draw["size"], draw["angle"], draw["direction"], True, Shift(draw["shift"])
    )
    # As `MotionBlur.get_params` does.
    return P.convolve(np.asarray(image), kernel.astype(np.float32) / np.sum(kernel))


def defocus(image, _, draw):
    return B.defocus(np.asarray(image), draw["radius"], draw["alias_blur"])


def image_compression(image, _, draw):
    # albumentations hands pictures to OpenCV as they are, and OpenCV expects BGR.
    swapped = np.ascontiguousarray(np.asarray(image)[..., ::-1])
    return P.image_compression(swapped, draw, ".jpg")[..., ::-1]


OPS = {
    "blur": blur,
    "defocus": defocus,
    "gaussian_blur": gaussian_blur,
    "image_compression": image_compression,
    "median_blur": median_blur,
    "motion_blur": motion_blur,
}

SIZES = [("noise", (23, 9)), ("extremes", (9, 17)), ("gradient", (31, 22))]
SMALL = [("noise", (1, 1)), ("noise", (2, 1)), ("noise", (1, 6)), ("noise", (3, 2))]


def square_cases(op):
    for kind, size in SIZES:
        yield op, "3", kind, size, {}, 3
    for side in (5, 7, 9, 15, 17, 31):
        yield op, str(side), "noise", (38, 27), {"blur_limit": [3, 31]}, side
    yield op, "101", "noise", (23, 9), {"blur_limit": [3, 101]}, 101
    for kind, size in SMALL:
        yield op, "5", kind, size, {}, 5


def gaussian_blur_cases():
    def case(sigma, kernel, kind, size):
        draw = {"sigma": sigma, "kernel": kernel}
        return "gaussian_blur", f"{sigma}-{kernel}", kind, size, {}, draw

    for kind, size in SIZES:
        yield case(1.37, 0, kind, size)
    for sigma, kernel in ((0.2, 0), (0.5, 0), (0.8, 7), (2.0, 4), (3.0, 0), (7.5, 0), (5.0, 3)):
        yield case(sigma, kernel, "noise", (38, 27))
    for kind, size in SMALL:
        yield case(1.0, 0, kind, size)


def motion_blur_cases():
    def case(name, kind, size, side, angle, direction=0.0, shift=(0.0, 0.0), *corridor):
        draw = {"size": side, "angle": angle, "direction": direction, "shift": list(shift)}
        return "motion_blur", name, kind, size, {}, draw, *corridor

    for kind, size in SIZES:
        yield case("3", kind, size, 3, 30.0)
    for angle in (0.0, 45.0, 71.0, 135.0, 270.0):
        yield case(f"7-{angle}", "noise", (38, 27), 7, angle)
    # Six pixels, whose mean may lie between two levels; rows of whole vectors.
    yield case("7-six", "noise", (32, 27), 7, 20.0, -0.3)
    yield case("7-six-steep", "noise", (32, 27), 7, 80.0, 0.5)
    yield case("11", "noise", (38, 27), 11, 33.0, 0.2)
    yield case("5-shifted", "noise", (38, 27), 5, 200.0, 0.7, (-0.8, 0.95))
    yield case("9-forward", "extremes", (20, 20), 9, 10.0, 1.0, (0.3, -0.4))
    yield case("9-backward", "extremes", (20, 20), 9, 10.0, -1.0)
    # By OpenCV in the frequency domain.
    yield case("21", "noise", (38, 27), 21, 300.0, 0.1, (0.0, 0.0), {"within": 1})
    for kind, size in SMALL:
        yield case("5", kind, size, 5, 60.0)


def defocus_cases():
    def case(radius, alias_blur, kind, size):
        draw = {"radius": radius, "alias_blur": alias_blur}
        corridor = {"within": 1}
        return "defocus", f"{radius}-{alias_blur}", kind, size, {}, draw, corridor

    for kind, size in SIZES:
        yield case(3, 0.3, kind, size)
    for radius, alias_blur in ((1, 0.1), (5, 0.5), (8, 0.05), (9, 0.5), (10, 0.1), (17, 2.0)):
        yield case(radius, alias_blur, "noise", (38, 27))
    for kind, size in SMALL:
        yield case(4, 0.4, kind, size)


def image_compression_cases():
    def case(quality, kind, size):
        return "image_compression", str(quality), kind, size, {"quality_range": [1, 100]}, quality

    for kind, size in (("noise", (37, 41)), ("extremes", (16, 17)), ("gradient", (33, 31))):
        for quality in (10, 49, 75, 95):
            yield case(quality, kind, size)
    for quality in (1, 50, 99, 100):
        yield case(quality, "extremes", (48, 35))
    # Chroma of at most two columns is not smoothed, and edges are repeated up to whole blocks.
    for size in ((1, 1), (2, 3), (4, 18), (5, 9), (1, 24), (35, 1), (17, 2), (8, 8), (32, 32)):
        yield case(60, "noise", size)


def cases():
    yield from square_cases("blur")
    yield from square_cases("median_blur")
    yield from gaussian_blur_cases()
    yield from motion_blur_cases()
    yield from defocus_cases()
    yield from image_compression_cases()
