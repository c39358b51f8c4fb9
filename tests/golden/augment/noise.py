"""Ops that add noise and weather: references and cases.

The fields of noise are ours, and repeated here as the ops' draws describe them; what becomes
of a picture under a given field is the reference's.
"""

from statistics import NormalDist

import albumentations
import numpy as np
from albumentations.augmentations.pixel import functional as P

from pictures import splitmix64


def field(seed, count):
    """`count` numbers of 16 bits, four from each number of splitmix64."""
    with np.errstate(over="ignore"):
        places = np.uint64(seed) + np.arange(-(-count // 4), dtype=np.uint64)
    return splitmix64(places).astype("<u8").view("<u2")[:count]


def quantiles():
    inverse = NormalDist().inv_cdf
    return np.rint([inverse((i + 0.5) / 65536) * 7500 for i in range(65536)]).astype(np.float32)


QUANTILES = quantiles()


def spread(array, per_channel, seed):
    """A field with a number for each level, or for each pixel and the same in its channels."""
    height, width, channels = array.shape
    if per_channel:
        return field(seed, array.size).reshape(array.shape)
    return np.repeat(field(seed, height * width).reshape(height, width, 1), channels, axis=-1)


def gauss_noise(image, settings, draw):
    array = np.asarray(image)
    numbers = QUANTILES[spread(array, settings.get("per_channel", True), draw["seed"])]
    step = np.float32(np.sqrt(draw["variance"]) / 7500)
    noise = np.rint(numbers * step + np.float32(settings.get("mean", 0.0)))
    return P.add_noise(array, noise)


def salt_and_pepper(image, _, draw):
    array = np.asarray(image)
    numbers = spread(array, False, draw["seed"])[..., 0]
    salt = numbers < round(65536 * (draw["amount"] * draw["salt"]))
    any_of_both = numbers < round(65536 * draw["amount"])
    return P.apply_salt_and_pepper(array, salt, any_of_both & ~salt).astype(np.uint8)


def multiplicative_noise(image, settings, draw):
    array = np.asarray(image)
    op = albumentations.MultiplicativeNoise()
    if "channels" in draw:
        return op.apply(array, multiplier=np.array(draw["channels"], dtype=np.float32))
    low, high = settings["multiplier"]
    numbers = spread(array, settings.get("per_channel", False), draw["field"])
    factors = np.float32(low) + numbers.astype(np.float32) * np.float32((high - low) / 65536)
    return op.apply(array, multiplier=factors)


OPS = {
    "gauss_noise": gauss_noise,
    "multiplicative_noise": multiplicative_noise,
    "salt_and_pepper": salt_and_pepper,
}

# Rows and pictures of less than a block of 192 levels, of whole blocks, and of some levels more.
SIZES = [("noise", (23, 9)), ("extremes", (16, 8)), ("gradient", (31, 22)), ("noise", (1, 1))]
SEED = 0x0123456789ABCDEF
LAST = 0xFFFFFFFFFFFFFFFF


def gauss_noise_cases():
    def case(name, kind, size, variance, seed, **settings):
        draw = {"variance": variance, "seed": seed}
        return "gauss_noise", name, kind, size, settings, draw

    for kind, size in SIZES:
        yield case("27.3", kind, size, 27.3, SEED)
        yield case("27.3-shared", kind, size, 27.3, SEED, per_channel=False)
    for variance in (0.0, 0.4, 400.0, 12345.6):
        yield case(f"{variance}", "gradient", (31, 22), variance, SEED, var_limit=[0.0, 65025.0])
    yield case("50-brighter", "extremes", (16, 8), 50.0, LAST, mean=12.5)
    yield case("10-darker", "extremes", (16, 8), 10.0, LAST - 2, mean=-40.0)


def salt_and_pepper_cases():
    for kind, size in SIZES:
        for amount, salt in ((0.05, 0.5), (0.6, 0.25), (1.0, 0.0), (1.0, 1.0), (0.0, 0.5)):
            draw = {"amount": amount, "salt": salt, "seed": SEED}
            yield "salt_and_pepper", f"{amount}-{salt}", kind, size, {}, draw


def multiplicative_noise_cases():
    for kind, size in SIZES:
        for factors in ((1.07, 1.07, 1.07), (0.93, 1.0, 1.4), (0.0, 3.7, 255.0)):
            name = "-".join(map(str, factors))
            yield "multiplicative_noise", name, kind, size, {}, {"channels": list(factors)}
        for per_channel in (False, True):
            for low, high in ((0.9, 1.1), (0.0, 4.0)):
                settings = {"multiplier": [low, high], "per_channel": per_channel}
                settings["elementwise"] = True
                name = f"{low}-{high}-{'levels' if per_channel else 'pixels'}"
                yield "multiplicative_noise", name, kind, size, settings, {"field": SEED}


def cases():
    yield from gauss_noise_cases()
    yield from salt_and_pepper_cases()
    yield from multiplicative_noise_cases()
