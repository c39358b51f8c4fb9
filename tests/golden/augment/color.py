"""Ops that change levels where they are: references and cases."""

import albumentations
import numpy as np
from torchvision import transforms
from torchvision.transforms import functional as F

ADJUSTMENTS = ["brightness", "contrast", "saturation", "hue"]


def random_grayscale(image, _, draw):
    return F.rgb_to_grayscale(image, num_output_channels=3) if draw else image


def color_jitter(image, _, draw):
    op = transforms.ColorJitter()
    order = [ADJUSTMENTS.index(name) for name in draw["order"]]
    factors = [draw.get(name) for name in ADJUSTMENTS]
    op.get_params = lambda *_: (order, *factors)
    return op(image)


def albumented(op, parameters):
    """`apply` of an op of albumentations with the parameters that a function of the draw gives."""

    def result(image, settings, draw):
        array = np.asarray(image)
        return op.apply(array, **parameters(draw, settings, array)) if draw else image

    return result


def brightness_contrast(draw, settings, array):
    by_max = settings.get("brightness_by_max", True)
    unit = 255 if by_max else np.mean(array)
    return {"alpha": draw["contrast"], "beta": draw["brightness"] * unit}


def rgb_shift(image, _, draw):
    op = albumentations.RGBShift()
    shift = np.array(draw, dtype=np.float32)
    return op.apply(np.asarray(image), noise_map=shift) if draw else image


def clahe(image, settings, draw):
    """albumentations hands `tile_grid_size` to OpenCV, which takes columns first."""
    if draw is None:
        return image
    tiles = tuple(reversed(settings.get("tile_grid_size", [8, 8])))
    op = albumentations.CLAHE(tile_grid_size=tiles)
    return op.apply(np.asarray(image), clip_limit=draw)


def tone_curve(draw, settings, _):
    if settings.get("per_channel", False):
        return {name: np.array(heights) for name, heights in draw.items()}
    return {name: heights[0] for name, heights in draw.items()}


def fancy_pca(draw, _, array):
    """The amounts for the directions that LAPACK happens to find."""
    levels = (array.reshape(-1, 3) / np.float32(255)).astype(np.float32)
    variances, directions = np.linalg.eigh(np.cov(levels - levels.mean(axis=0), rowvar=False))
    directions = directions[:, np.argsort(-variances)]
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(3)]
    return {"alpha_vector": np.array(draw) * np.sign(largest)}


def lighting(image, _, draw):
    """The noise of PyTorch's training scripts, and rounding to levels."""
    if draw is None:
        return image
    deviations = np.array([0.2175, 0.0188, 0.0045])
    components = np.array(
        [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
    )
    noise = (components * (np.array(draw) * deviations)).sum(axis=1)
    return np.rint((np.asarray(image) + 255 * noise).clip(0, 255)).astype(np.uint8)


def switched(function, *settings):
    """A function of the picture and of some settings, where the draw says so."""
    return lambda image, spec, acts: (
        function(image, *(spec[name] for name in settings)) if acts else image
    )


OPS = {
    "clahe": clahe,
    "fancy_pca": albumented(albumentations.FancyPCA(), fancy_pca),
    "lighting": lighting,
    "random_tone_curve": albumented(albumentations.RandomToneCurve(), tone_curve),
    "channel_shuffle": albumented(
        albumentations.ChannelShuffle(), lambda draw, *_: {"channels_shuffled": draw}
    ),
    "hue_saturation_value": albumented(
        albumentations.HueSaturationValue(),
        lambda draw, *_: {
            "hue_shift": draw["hue"],
            "sat_shift": draw["saturation"],
            "val_shift": draw["value"],
        },
    ),
    "random_brightness_contrast": albumented(
        albumentations.RandomBrightnessContrast(), brightness_contrast
    ),
    "random_gamma": albumented(
        albumentations.RandomGamma(), lambda draw, *_: {"gamma": draw}
    ),
    "rgb_shift": rgb_shift,
    "to_sepia": albumented(albumentations.ToSepia(), lambda *_: {}),
    "color_jitter": color_jitter,
    "random_adjust_sharpness": switched(F.adjust_sharpness, "sharpness_factor"),
    "random_autocontrast": switched(F.autocontrast),
    "random_equalize": switched(F.equalize),
    "random_grayscale": random_grayscale,
    "random_invert": switched(F.invert),
    "random_posterize": switched(F.posterize, "bits"),
    "random_solarize": switched(F.solarize, "threshold"),
}


def color_jitter_cases():
    def case(name, kind, size, order=tuple(ADJUSTMENTS), **factors):
        draw = {"order": list(order), **factors}
        # A draw outside of the settings' range would be no draw of theirs.
        settings = {key: [-0.5, 0.5] if key == "hue" else [0.0, 3.0] for key in factors}
        return "color_jitter", name, kind, size, settings, draw

    for name in ("brightness", "contrast", "saturation"):
        for factor in (0.0, 0.3, 0.9999999, 1.0, 1.2345678, 2.7):
            yield case(f"{name}-{factor}", "noise", (13, 7), **{name: factor})
        yield case(f"{name}-extremes", "extremes", (9, 9), **{name: 1.4})
        yield case(f"{name}-gradient", "gradient", (16, 16), **{name: 0.6})
        yield case(f"{name}-single", "noise", (1, 1), **{name: 1.3})
    for factor in (-0.5, -0.237, -0.001, 0.0, 0.1, 0.5):
        yield case(f"hue-{factor}", "noise", (13, 7), hue=factor)
    yield case("hue-gradient", "gradient", (16, 16), hue=0.3)
    yield case("hue-extremes", "extremes", (9, 9), hue=-0.4)
    factors = {"brightness": 1.3, "contrast": 0.7, "saturation": 1.25, "hue": -0.08}
    yield case("all", "noise", (13, 7), **factors)
    yield case("all-reversed", "noise", (13, 7), reversed(ADJUSTMENTS), **factors)
    mixed = ("hue", "contrast", "brightness", "saturation")
    yield case("all-mixed", "gradient", (15, 11), mixed, **factors)


def random_grayscale_cases():
    for kind, size in (("noise", (7, 4)), ("extremes", (6, 5)), ("noise", (1, 1))):
        yield "random_grayscale", "acts", kind, size, {"p": 0.5}, True
    yield "random_grayscale", "rests", "noise", (7, 4), {"p": 0.5}, False


SHAPES = [("noise", (13, 7)), ("extremes", (9, 9)), ("gradient", (40, 30)), ("noise", (1, 1))]


def switch_cases():
    for kind, size in SHAPES + [("noise", (90, 1)), ("gradient", (2, 9))]:
        for op in ("random_autocontrast", "random_equalize", "random_invert"):
            yield op, "acts", kind, size, {"p": 0.5}, True
        for bits in (1, 4, 7, 8):
            yield "random_posterize", f"{bits}-bits", kind, size, {"bits": bits}, True
        for threshold in (0.0, 1.0, 127.5, 255.0, 256.0):
            settings = {"threshold": threshold}
            yield "random_solarize", f"from-{threshold}", kind, size, settings, True
        for factor in (0.0, 0.4, 1.0, 1.7, 3.0):
            settings = {"sharpness_factor": factor}
            yield "random_adjust_sharpness", f"by-{factor}", kind, size, settings, True


def albumentations_cases():
    for kind, size in SHAPES:
        for contrast, brightness in ((1.0, 0.2), (0.8, -0.13), (1.2, 0.0), (0.0, 1.0)):
            draw = {"contrast": contrast, "brightness": brightness}
            name = f"{contrast}-{brightness}"
            yield "random_brightness_contrast", name, kind, size, {}, draw
        draw = {"contrast": 1.1, "brightness": -0.2}
        settings = {"brightness_by_max": False}
        yield "random_brightness_contrast", "by-mean", kind, size, settings, draw
        for shift in ([20, -20, 5], [0, 0, 1], [-255, 255, 100]):
            yield "rgb_shift", "by-" + "_".join(map(str, shift)), kind, size, {}, shift
        for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
            yield "channel_shuffle", "".join(map(str, order)), kind, size, {}, order
        for gamma in (0.5, 0.83, 1.0, 1.2, 3.0):
            yield "random_gamma", f"{gamma}", kind, size, {}, gamma
        yield "to_sepia", "acts", kind, size, {}, True
        for hue, saturation, value in ((17.3, 0, 0), (-20.0, 29.5, -19.5), (0, -30.0, 20.0), (180, 0, 0)):
            draw = {"hue": hue, "saturation": saturation, "value": value}
            name = f"{hue}-{saturation}-{value}"
            # OpenCV cuts in its vectors and rounds in what is left of a row.
            corridor = {"within": 1}
            yield "hue_saturation_value", name, kind, size, {}, draw, corridor
            if size in ((13, 7), (9, 9)):
                yield "hue_saturation_value", name, kind, (128, 8), {}, draw


def statistics_cases():
    """Ops that look at the whole picture first, and curves."""
    for kind, size in SHAPES + [("noise", (3, 41)), ("gradient", (64, 48)), ("gradient", (37, 1))]:
        for limit in (1.0, 2.7, 40.0):
            yield "clahe", f"{limit}", kind, size, {"clip_limit": [1.0, 40.0]}, limit
    for tiles in ([1, 1], [2, 5], [3, 4], [16, 16]):
        name = "{}-by-{}".format(*tiles)
        for kind, size in (("gradient", (40, 30)), ("noise", (23, 12))):
            yield "clahe", name, kind, size, {"tile_grid_size": tiles}, 2.0
    yield "clahe", "rests", "noise", (7, 4), {}, None
    for kind, size in SHAPES[:3]:
        for amounts in ([0.1, -0.07, 0.2], [-8.0, 3.0, 5.0], [0.0, 0.0, 0.0]):
            name = "_".join(map(str, amounts))
            # The reference sums in f32, and so does the op: a tie may fall either way.
            corridor = {"within": 0, "except": 0.002}
            yield "fancy_pca", name, kind, size, {}, amounts, corridor
            yield "lighting", name, kind, size, {}, amounts
    yield "fancy_pca", "rests", "noise", (1, 1), {}, None
    for kind, size in SHAPES:
        for low, high in ((0.25, 0.75), (0.31, 0.58), (0.0, 1.0), (1.0, 0.0), (1 / 3, 2 / 3)):
            draw = {"low_y": [low] * 3, "high_y": [high] * 3}
            yield "random_tone_curve", f"{low:.3}-{high:.3}", kind, size, {}, draw
        draw = {"low_y": [0.1, 0.25, 0.4], "high_y": [0.9, 0.6, 0.75]}
        yield "random_tone_curve", "channels", kind, size, {"per_channel": True}, draw


def cases():
    yield from albumentations_cases()
    yield from statistics_cases()
    yield from switch_cases()
    yield from color_jitter_cases()
    yield from random_grayscale_cases()
