"""Ops that choose among other ops: references and cases."""

import numpy as np
import torch
from PIL import ImageFilter, ImageOps
from timm.data import auto_augment as timm_auto_augment
from torchvision.transforms import InterpolationMode, autoaugment
from torchvision.transforms import functional as F

from color import color_jitter

REFERENCES = {
    "random_grayscale": lambda image: F.rgb_to_grayscale(image, num_output_channels=3),
    "random_horizontal_flip": F.hflip,
    "random_vertical_flip": F.vflip,
}
CHILDREN = [{"type": name, "p": 1.0} for name in REFERENCES]


def chosen(image, settings, draw):
    """The chosen ops one after the other; `draw` lists their positions."""
    for one in draw if isinstance(draw, list) else [draw] if draw else []:
        image = REFERENCES[settings["ops"][one["position"]]["type"]](image)
    return image


def sequential(image, settings, draw):
    for op in settings["ops"] if draw else []:
        image = REFERENCES[op["type"]](image)
    return image


# The names that actions have in the references, where they differ from ours in more than case.
TORCHVISION = {"auto_contrast": "AutoContrast"}
ENHANCEMENTS = ("brightness", "color", "contrast", "sharpness")
FILTERS = {"bilinear": 2, "bicubic": 3}


def split(action):
    """Name and magnitude of an action as a draw writes it."""
    return next(iter(action.items())) if isinstance(action, dict) else (action, 0.0)


def torchvision_step(image, step, fill):
    name, magnitude = split(step["action"])
    magnitude -= 1.0 if name in ENHANCEMENTS else 0.0
    name = TORCHVISION.get(name, "".join(word.title() for word in name.split("_")))
    interpolation = InterpolationMode(step["interpolation"])
    return autoaugment._apply_op(image, name, magnitude, interpolation, fill)


def timm_step(image, step, fill):
    name, magnitude = split(step["action"])
    if name == "identity":
        return image
    arguments = () if name in ("auto_contrast", "equalize", "invert") else (magnitude,)
    function = {
        "translate_x": timm_auto_augment.translate_x_abs,
        "translate_y": timm_auto_augment.translate_y_abs,
    }.get(name) or getattr(timm_auto_augment, name)
    return function(image, *arguments, resample=FILTERS[step["interpolation"]], fillcolor=fill)


def rand_augment(image, settings, draw):
    apply = timm_step if settings.get("variant") == "timm" else torchvision_step
    for step in draw:
        image = apply(image, step, tuple(settings.get("fill", (0, 0, 0))))
    return image


def trivial_augment_wide(image, settings, draw):
    return rand_augment(image, settings, [draw] if draw else [])


def aug_mix(image, settings, draw):
    """torchvision's sum, over versions made on PIL pictures."""
    mix = draw["original"] * F.pil_to_tensor(image)
    for chain in draw["chains"]:
        version = F.pil_to_tensor(rand_augment(image, settings, chain["steps"]))
        mix.add_(torch.tensor(chain["weight"], dtype=torch.float32) * version)
    return np.ascontiguousarray(mix.to(torch.uint8).permute(1, 2, 0).numpy())


def three_augment(image, _, draw):
    """What DeiT III's code does with PIL."""
    name, radius = split(draw["alteration"])
    image = {
        "grayscale": lambda: F.rgb_to_grayscale(image, num_output_channels=3),
        "solarize": lambda: ImageOps.solarize(image),
        "gaussian_blur": lambda: image.filter(ImageFilter.GaussianBlur(radius)),
    }[name]()
    return color_jitter(image, None, draw["jitter"])


OPS = {
    "three_augment": three_augment,
    "aug_mix": aug_mix,
    "auto_augment": rand_augment,
    "one_of": chosen,
    "rand_augment": rand_augment,
    "sequential": sequential,
    "some_of": chosen,
    "trivial_augment_wide": trivial_augment_wide,
}


def composition_cases():
    def choice(position):
        return {"position": position, "draw": {"type": CHILDREN[position]["type"], "draw": True}}

    for position in range(3):
        name = f"chooses-{CHILDREN[position]['type']}"
        yield "one_of", name, "noise", (7, 4), {"ops": CHILDREN}, choice(position)
    yield "one_of", "rests", "noise", (7, 4), {"p": 0.5, "ops": CHILDREN}, None
    yield "some_of", "two", "noise", (7, 4), {"n": 2, "ops": CHILDREN}, [choice(0), choice(2)]
    yield "some_of", "none", "noise", (7, 4), {"n": [0, 1], "ops": CHILDREN}, []
    every = [choice(position)["draw"] for position in range(3)]
    yield "sequential", "all", "noise", (7, 4), {"ops": CHILDREN}, every
    yield "sequential", "rests", "noise", (7, 4), {"p": 0.5, "ops": CHILDREN}, []


def step(action, interpolation="nearest"):
    return {"action": action, "interpolation": interpolation}


MOVES = [
    {"shear_x": 0.0870000049471855},
    {"shear_y": -0.29999998211860657},
    {"translate_x": 6.2},
    {"translate_y": -3.9},
    {"rotate": 8.699999809265137},
    {"rotate": -121.5},
]
COLORS = [
    {"brightness": 1.2699999809265137},
    {"color": 0.4},
    {"contrast": 1.6},
    {"sharpness": 1.9},
    {"sharpness": 0.1},
    {"posterize": 4},
    {"solarize": 178.5},
    "auto_contrast",
    "equalize",
    "invert",
    "identity",
]


def policy_cases():
    def label(action):
        name, magnitude = split(action)
        return f"{name}-{magnitude:.3g}"

    for kind, size in [("noise", (23, 17)), ("gradient", (31, 31))]:
        for interpolation in ("nearest", "bilinear", "bicubic"):
            for move in MOVES + [{"rotate": 90.0}, {"rotate": 180.0}]:
                settings = {"fill": [10, 20, 30]}
                draw = [step(move, interpolation)]
                name = f"{label(move)}-{interpolation}"
                yield "rand_augment", name, kind, size, settings, draw
                if interpolation != "nearest":
                    settings = {"variant": "timm", "fill": [124, 116, 104]}
                    yield "rand_augment", f"timm-{name}", kind, size, settings, draw
    for color in COLORS:
        name = label(color)
        yield "rand_augment", name, "noise", (13, 7), {}, [step(color)]
    for color in COLORS + [{"solarize_add": 99}, {"solarize": 26}]:
        draw = [step(color, "bilinear")]
        name = f"timm-{label(color)}"
        yield "rand_augment", name, "noise", (13, 7), {"variant": "timm"}, draw
    both = [step({"rotate": 27.0}), step("equalize"), step({"shear_y": 0.2})]
    yield "rand_augment", "three", "extremes", (19, 23), {"num_ops": 3}, both
    yield "auto_augment", "pair", "noise", (23, 17), {"policy": "cifar10"}, both[:2]
    yield "auto_augment", "rests", "noise", (7, 5), {}, []
    for move in ({"shear_x": -0.99}, {"translate_y": 32.0}, {"rotate": 135.0}):
        yield "trivial_augment_wide", label(move), "noise", (23, 17), {}, step(move)
    yield "trivial_augment_wide", "posterize", "noise", (23, 17), {}, step({"posterize": 2})
    chains = [
        {"weight": 0.25, "steps": [step({"rotate": 6.6}, "bilinear"), step("equalize", "bilinear")]},
        {"weight": 0.375, "steps": [step({"posterize": 3}, "bilinear")]},
    ]
    draw = {"original": 0.375, "chains": chains}
    yield "aug_mix", "two", "noise", (23, 17), {"mixture_width": 2}, draw
    draw = {"original": 0.3, "chains": [{"weight": 0.7, "steps": [step("invert", "bilinear")]}]}
    yield "aug_mix", "one", "gradient", (16, 16), {"mixture_width": 1}, draw


def three_augment_cases():
    order = ["contrast", "hue", "saturation", "brightness"]
    jitter = {"order": order, "brightness": 1.27, "contrast": 0.71, "saturation": 0.9}
    blurs = [{"gaussian_blur": radius} for radius in (0.1, 0.7, 1.3, 2.0)]
    for alteration in ["grayscale", "solarize"] + blurs:
        name, radius = split(alteration)
        name += f"-{radius}" if radius else ""
        draw = {"alteration": alteration, "jitter": {"order": order}}
        for kind, size in [("noise", (23, 17)), ("extremes", (9, 5))]:
            yield "three_augment", name, kind, size, {}, draw
        yield "three_augment", f"{name}-jittered", "gradient", (31, 31), {}, draw | {"jitter": jitter}
    draw = {"alteration": {"gaussian_blur": 1.9}, "jitter": jitter}
    yield "three_augment", "blurred", "noise", (1, 1), {}, draw


def cases():
    yield from three_augment_cases()
    yield from policy_cases()
    yield from composition_cases()
