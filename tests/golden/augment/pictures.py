"""The input pictures of the fixtures; `generate.py` defines their kinds."""

import numpy as np
from PIL import Image


def fnv1a64(name):
    value = 0xCBF29CE484222325
    for byte in name.encode("utf-8"):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def splitmix64(x):
    with np.errstate(over="ignore"):
        z = x + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def noise(name, width, height):
    with np.errstate(over="ignore"):
        places = np.uint64(fnv1a64(name)) + np.arange(width * height * 3, dtype=np.uint64)
    return (splitmix64(places) >> np.uint64(56)).astype(np.uint8).reshape(height, width, 3)


def gradient(width, height):
    y, x = np.mgrid[0:height, 0:width]
    ramps = [
        255 * x // max(width - 1, 1),
        255 * y // max(height - 1, 1),
        255 * (x + y) // max(width + height - 2, 1),
    ]
    return np.stack(ramps, axis=-1).astype(np.uint8)


def picture(kind, width, height):
    name = f"{kind} {width}x{height}"
    if kind == "noise":
        return Image.fromarray(noise(name, width, height))
    if kind == "extremes":
        levels = np.array([0, 1, 127, 128, 254, 255], dtype=np.uint8)
        return Image.fromarray(levels[noise(name, width, height) % 6])
    assert kind == "gradient"
    return Image.fromarray(gradient(width, height))
