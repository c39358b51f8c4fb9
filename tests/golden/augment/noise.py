"""Ops that add noise and weather: references and cases.

The fields of noise are ours, and repeated here as the ops' draws describe them; what becomes
of a picture under a given field is the reference's.
"""

from statistics import NormalDist

import albumentations
import cv2
import numpy as np
from albumentations.augmentations.pixel import functional as P

from PIL import Image

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


class Sensor:
    """The numbers of a draw of iso_noise in place of numpy's."""

    def __init__(self, seed, pixels):
        self.numbers = field(seed, 2 * pixels)

    def poisson(self, mean, size):
        mean = mean[0]
        bounds, probability, up_to = [], np.exp(-mean), np.exp(-mean)
        while round(65536 * up_to) < 65536 and len(bounds) < 24:
            bounds.append(round(65536 * up_to))
            probability *= mean / len(bounds)
            up_to += probability
        counts = sum(self.numbers[1::2].astype(int) >= bound for bound in [*bounds, 65536])
        return counts.reshape(size)

    def normal(self, _, deviation, size):
        # albumentations means parts of the circle, and adds degrees. OpenCV's vectors take hues below 0 for others, so
        # two turns are added.
        return (QUANTILES[self.numbers[::2]] / 7500 * 360 * deviation + 720).reshape(size)


def iso_noise(image, _, draw):
    array = np.asarray(image)
    sensor = Sensor(draw["seed"], array.shape[0] * array.shape[1])
    return P.iso_noise(array, draw["color_shift"], draw["intensity"], sensor)


PILLOW = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def downscale(image, settings, draw):
    pair = {"downscale": "nearest", "upscale": "nearest"}
    pair |= settings.get("interpolation_pair", {})
    sizes = [[max(1, round(side * draw)) for side in image.size], image.size]

    def resize(image, size, name, **scale):
        if name in PILLOW:
            return image.resize(size, PILLOW[name])
        size = None if scale else size
        array = cv2.resize(np.asarray(image), size, **scale, interpolation=cv2.INTER_NEAREST)
        return Image.fromarray(array)

    small = resize(image, sizes[0], pair["downscale"], fx=draw, fy=draw)
    return resize(small, sizes[1], pair["upscale"])


def random_snow(image, settings, draw):
    coefficient = settings.get("brightness_coeff", 2.5)
    return P.add_snow_bleach(np.asarray(image), draw, coefficient)


def random_rain(image, settings, draw):
    return P.add_rain(
        np.asarray(image),
        draw["slant"],
        draw["length"],
        1,
        settings.get("drop_color", [200, 200, 200]),
        settings.get("blur_value", 7),
        settings.get("brightness_coefficient", 0.7),
        np.array(draw["drops"], dtype=np.int32).reshape(-1, 2),
    )


def random_fog(image, settings, draw):
    return P.add_fog(
        np.asarray(image),
        draw["intensity"],
        settings.get("alpha_coef", 0.08),
        [particle[:2] for particle in draw["particles"]],
        [particle[2] for particle in draw["particles"]],
    )


OPS = {
    "downscale": downscale,
    "iso_noise": iso_noise,
    "random_fog": random_fog,
    "random_rain": random_rain,
    "random_snow": random_snow,
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


def iso_noise_cases():
    # Hues are added up in another order.
    corridor = {"within": 1}
    for kind, size in SIZES:
        for color_shift, intensity in ((0.01, 0.1), (0.05, 0.5), (0.3, 1.5)):
            draw = {"color_shift": color_shift, "intensity": intensity, "seed": SEED}
            name = f"{color_shift}-{intensity}"
            yield "iso_noise", name, kind, size, {}, draw, corridor


def downscale_cases():
    for kind, size in SIZES[:3]:
        for scale in (0.25, 0.5, 0.3137, 0.777, 1.0):
            yield "downscale", f"{scale}", kind, size, {}, scale
        for names in (("nearest", "bilinear"), ("bilinear", "nearest"), ("bilinear", "bilinear")):
            pair = dict(zip(("downscale", "upscale"), names))
            name = "-".join(names)
            corridor = {"within": 1 if names.count("bilinear") == 1 else 2}
            settings = {"interpolation_pair": pair}
            yield "downscale", name, kind, size, settings, 0.4, corridor
    yield "downscale", "wide", "noise", (97, 2), {}, 0.6


def random_snow_cases():
    for kind, size in SIZES:
        for point, coefficient in ((0.1, 2.5), (0.3, 2.5), (0.9, 1.4), (0.2, 0.7)):
            settings = {"brightness_coeff": coefficient}
            # Hues and saturations that lie between two numbers of 8 bits.
            corridor = {"within": 0, "except": 0.002}
            name = f"{point}-{coefficient}"
            yield "random_snow", name, kind, size, settings, point, corridor


def random_rain_cases():
    def case(name, kind, size, slant, length, drops, **settings):
        draw = {"slant": slant, "length": length, "drops": drops}
        return "random_rain", name, kind, size, settings, draw

    for kind, size in (("noise", (23, 19)), ("extremes", (16, 18)), ("gradient", (31, 22))):
        drops = [[3, 2], [9, 0], [9, 3], [14, 8], [5, 5], [15, 1], [0, 4]]
        yield case("left", kind, size, -4.7, 9, drops)
        yield case("right", kind, size, 3.2, 6, drops)
        yield case("flat", kind, size, 9.0, 2, drops, blur_value=1, brightness_coefficient=1.0)
        settings = {"drop_color": [90, 255, 3], "blur_value": 3, "brightness_coefficient": 0.55}
        yield case("coloured", kind, size, 0.4, 7, drops, **settings)
        yield case("dry", kind, size, 0.4, 7, [])
    drops = [[0, 0], [30, 3], [31, 17], [12, 9], [12, 40], [-4, 3], [-9, -4], [500, 2]]
    for slant, length in ((-17.0, 15), (17.0, 4), (-3.0, 60), (25.0, 12)):
        yield case(f"beyond-{slant}", "gradient", (31, 22), slant, length, drops, blur_value=1)
    yield case("single", "noise", (1, 1), 2.0, 1, [[0, 0]])
    yield case("wide-blur", "noise", (40, 30), 2.0, 9, [[20, 10], [4, 2]], blur_value=17)


def random_fog_cases():
    def case(name, kind, size, intensity, particles, **settings):
        draw = {"intensity": intensity, "particles": particles}
        # OpenCV blurs with weights of 8 bits.
        return "random_fog", name, kind, size, settings, draw, {"within": 1}

    particles = [[5, 5, 3], [6, 7, 4], [0, 0, 6], [15, 9, 1], [15, 10, 2], [12, 3, 9], [9, 30, 5]]
    for kind, size in (("noise", (23, 19)), ("extremes", (16, 18)), ("gradient", (31, 22))):
        yield case("0.5", kind, size, 0.5, particles)
        yield case("1.0", kind, size, 1.0, particles, alpha_coef=0.35)
        yield case("thick", kind, size, 0.9, particles * 12, alpha_coef=0.2)
        yield case("clear", kind, size, 0.3, [])
    yield case("single", "noise", (1, 1), 0.5, [[0, 0, 1]])
    yield case("large", "gradient", (160, 150), 0.7, [[80, 70, 40], [30, 140, 25], [150, 9, 33]])


def cases():
    yield from gauss_noise_cases()
    yield from salt_and_pepper_cases()
    yield from multiplicative_noise_cases()
    yield from iso_noise_cases()
    yield from downscale_cases()
    yield from random_snow_cases()
    yield from random_rain_cases()
    yield from random_fog_cases()
