"""Writes the golden fixtures of the augmentations: torchvision's own results on PIL
pictures.

    python generate.py            regenerate every fixture beside this script
    python generate.py --check    compare with the committed fixtures, write nothing

Nothing here is drawn at random: every choice that an op makes is listed below, and the
input pictures come from small generators that the reader repeats. A picture of WIDTH x
HEIGHT pixels has the NAME "KIND WIDTHxHEIGHT". Byte i of it, rows top to bottom and R G B
for each pixel, is

    noise      splitmix64(fnv1a64(NAME) + i) >> 56
    extremes   one of 0 1 127 128 254 255: the noise byte modulo 6 chooses
    gradient   R floor(255 x / (WIDTH - 1)), G floor(255 y / (HEIGHT - 1)),
               B floor(255 (x + y) / (WIDTH + HEIGHT - 2)); a divisor of 0 becomes 1

    splitmix64(x):  z = x + 0x9E3779B97F4A7C15
                    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
                    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
                    return z ^ (z >> 31)                       (wrapping u64)

Fixtures:

    OP/CASE.png       the result of one case
    cases.json        for each of them: the input, the op's settings as an experiment
                      writes them, the draw, and by how many levels a result may differ
    sizes.json        sizes and rectangles that torchvision computes without randomness
    all_colors.json   checksums of colour adjustments of all 2^24 colours: the sum of
                      splitmix64(c << 24 | result of c) over all c, as R << 16 | G << 8 | B
    normalize.json    bits of the float32 results of ToTensor and Normalize
"""

import argparse
import json
import platform
import sys
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

HERE = Path(__file__).resolve().parent
LIMIT = 64 * 1024
ADJUSTMENTS = ["brightness", "contrast", "saturation", "hue"]
# By how many levels a resized picture may differ; the resample module says why.
WITHIN = {"nearest": 0, "bilinear": 1, "bicubic": 2, "lanczos": 2}


# The input pictures.


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


# The ops: settings and draw to torchvision's result.


def filter_of(settings):
    return InterpolationMode(settings.get("interpolation", "bilinear"))


def resize(image, settings, _):
    return transforms.Resize(settings["size"], filter_of(settings))(image)


def center_crop(image, settings, _):
    return transforms.CenterCrop(settings["size"])(image)


def pad(image, settings, _):
    fill = settings.get("fill", 0)
    fill = tuple(fill) if isinstance(fill, list) else fill
    return transforms.Pad(settings["padding"], fill, settings.get("padding_mode", "constant"))(
        image
    )


def random_crop(image, settings, draw):
    op = transforms.RandomCrop(**settings)
    op.get_params = lambda _, size: (draw["top"], draw["left"], *size)
    return op(image)


def random_resized_crop(image, settings, draw):
    size = settings["size"]
    size = [size, size] if isinstance(size, int) else size
    place = [draw[key] for key in ("top", "left", "height", "width")]
    return F.resized_crop(image, *place, size, filter_of(settings))


def random_horizontal_flip(image, _, draw):
    return F.hflip(image) if draw else image


def random_vertical_flip(image, _, draw):
    return F.vflip(image) if draw else image


def random_grayscale(image, _, draw):
    return F.rgb_to_grayscale(image, num_output_channels=3) if draw else image


def color_jitter(image, _, draw):
    op = transforms.ColorJitter()
    order = [ADJUSTMENTS.index(name) for name in draw["order"]]
    factors = [draw.get(name) for name in ADJUSTMENTS]
    op.get_params = lambda *_: (order, *factors)
    return op(image)


OPS = {
    "center_crop": center_crop,
    "color_jitter": color_jitter,
    "pad": pad,
    "random_crop": random_crop,
    "random_grayscale": random_grayscale,
    "random_horizontal_flip": random_horizontal_flip,
    "random_resized_crop": random_resized_crop,
    "random_vertical_flip": random_vertical_flip,
    "resize": resize,
    "resize_short": resize,
}


# The cases: op, what is special, input, settings, draw.


def resize_cases():
    shapes = [
        ("noise", (31, 23), (17, 13)),
        ("noise", (31, 23), (8, 37)),
        ("extremes", (33, 20), (12, 12)),
        ("gradient", (50, 37), (24, 24)),
        ("noise", (13, 9), (40, 29)),
        ("extremes", (7, 5), (7, 11)),
        ("noise", (1, 1), (5, 3)),
        ("noise", (1, 9), (4, 4)),
        ("extremes", (19, 6), (1, 1)),
        ("noise", (10, 10), (10, 10)),
        ("extremes", (31, 43), (37, 19)),
        ("extremes", (19, 41), (15, 31)),
        ("extremes", (19, 41), (14, 31)),
    ]
    for kind, size, (width, height) in shapes:
        for interpolation in ("nearest", "bilinear", "bicubic", "lanczos"):
            settings = {"size": [height, width], "interpolation": interpolation}
            yield "resize", f"to-{width}x{height}-{interpolation}", kind, size, settings, None


def resize_short_cases():
    shapes = [("gradient", (50, 37), 16), ("noise", (23, 31), 20), ("noise", (9, 9), 5)]
    shapes += [("extremes", (40, 3), 6), ("noise", (1, 4), 3), ("noise", (17, 12), 12)]
    for kind, size, short in shapes:
        for interpolation in ("bilinear", "bicubic"):
            settings = {"size": short, "interpolation": interpolation}
            yield "resize_short", f"to-{short}-{interpolation}", kind, size, settings, None


def center_crop_cases():
    shapes = [((11, 8), 5), ((12, 8), 5), ((13, 9), [6, 6]), ((14, 10), [5, 7]), ((8, 8), 8)]
    shapes += [((6, 12), 9), ((5, 4), [7, 8]), ((1, 1), 4), ((7, 3), [3, 12]), ((9, 2), [5, 9])]
    for size, crop in shapes:
        name = f"to-{crop}" if isinstance(crop, int) else f"to-{crop[1]}x{crop[0]}"
        yield "center_crop", name, "noise", size, {"size": crop}, None


def pad_cases():
    paddings = [(3, "all-3"), ([2, 1], "x-2-y-1"), ([1, 2, 3, 4], "left-1-top-2-right-3-bottom-4")]
    for mode in ("constant", "edge", "reflect", "symmetric"):
        for padding, name in paddings:
            settings = {"padding": padding, "padding_mode": mode}
            yield "pad", f"{name}-{mode}", "noise", (7, 5), settings, None
        settings = {"padding": [9, 11], "padding_mode": mode}
        yield "pad", f"wide-{mode}", "noise", (4, 3), settings, None
        yield "pad", f"single-{mode}", "noise", (1, 1), settings, None
    settings = {"padding": 2, "fill": [250, 128, 1]}
    yield "pad", "fill-color", "noise", (7, 5), settings, None
    yield "pad", "fill-level", "noise", (7, 5), {"padding": 2, "fill": 77}, None


def random_crop_cases():
    def case(name, shape, left, top, **settings):
        return "random_crop", name, "noise", shape, settings, {"left": left, "top": top}

    yield case("plain", (11, 8), 3, 2, size=5)
    yield case("whole", (8, 8), 0, 0, size=8)
    yield case("padded", (8, 8), 1, 7, size=8, padding=4)
    yield case("padded-reflect", (8, 8), 0, 8, size=8, padding=4, padding_mode="reflect")
    yield case("padded-uneven", (9, 6), 5, 1, size=[7, 8], padding=[1, 2, 3, 4], fill=99)
    for mode in ("constant", "edge", "reflect", "symmetric"):
        settings = {"pad_if_needed": True, "padding_mode": mode}
        yield case(f"too-small-{mode}", (5, 3), 2, 4, size=8, **settings)
        yield case(f"padded-too-small-{mode}", (5, 3), 3, 6, size=[12, 10], padding=1, **settings)
    yield case("too-narrow", (3, 12), 4, 5, size=7, pad_if_needed=True, fill=[1, 2, 3])


def random_resized_crop_cases():
    def case(name, kind, size, place, to, **settings):
        draw = dict(zip(("left", "top", "width", "height"), place, strict=True))
        return "random_resized_crop", name, kind, size, {"size": to, **settings}, draw

    for interpolation in ("nearest", "bilinear", "bicubic"):
        named = {"interpolation": interpolation}
        yield case(f"inner-{interpolation}", "extremes", (40, 30), (9, 7, 21, 15), 12, **named)
        yield case(f"corner-{interpolation}", "noise", (40, 30), (22, 18, 18, 12), [9, 7], **named)
        yield case(f"enlarge-{interpolation}", "noise", (20, 15), (6, 5, 4, 3), [13, 17], **named)
    yield case("one-pixel", "noise", (20, 15), (19, 14, 1, 1), 4)
    yield case("whole", "gradient", (50, 37), (0, 0, 50, 37), 24)
    yield case("copy", "noise", (20, 15), (3, 4, 8, 8), 8)
    yield case("column", "noise", (20, 15), (7, 0, 1, 15), 6)


def switch_cases():
    for op in ("random_horizontal_flip", "random_vertical_flip", "random_grayscale"):
        for kind, size in (("noise", (7, 4)), ("extremes", (6, 5)), ("noise", (1, 1))):
            yield op, "acts", kind, size, {"p": 0.5}, True
        yield op, "rests", "noise", (7, 4), {"p": 0.5}, False


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


def cases():
    yield from resize_cases()
    yield from resize_short_cases()
    yield from center_crop_cases()
    yield from pad_cases()
    yield from random_crop_cases()
    yield from random_resized_crop_cases()
    yield from switch_cases()
    yield from color_jitter_cases()


# The fixtures.


def rendered():
    """The index, and the picture of each of its cases by file name."""
    index, pictures = [], {}
    for op, name, kind, (width, height), settings, draw in cases():
        result = OPS[op](picture(kind, width, height), settings, draw)
        assert result.mode == "RGB"
        file = f"{op}/{name}-of-{kind}-{width}x{height}.png"
        assert file not in pictures, file
        pictures[file] = result
        resizes = "resize" in op
        within = WITHIN[settings.get("interpolation", "bilinear")] if resizes else 0
        entry = {"file": file, "input": {"kind": kind, "width": width, "height": height}}
        entry |= {"spec": {"type": op, **settings}, "within": within}
        index.append(entry if draw is None else entry | {"draw": draw})
    return index, pictures


def sizes():
    """Sizes of `Resize(int)` and rectangles of `RandomResizedCrop` when no try fits."""
    short = []
    for width, height, size in [
        (500, 375, 256),
        (375, 500, 256),
        (500, 333, 232),
        (333, 499, 224),
        (1, 1, 7),
        (1, 100, 3),
        (97, 1, 2),
        (640, 480, 480),
        (1023, 767, 255),
        (256, 255, 254),
        (3, 7, 1),
    ]:
        result = transforms.Resize(size)(Image.new("RGB", (width, height)))
        short.append({"from": [width, height], "size": size, "to": list(result.size)})
    centre = []
    for width, height, ratio in [
        (100, 10, [0.75, 4 / 3]),
        (10, 100, [0.75, 4 / 3]),
        (101, 9, [0.75, 4 / 3]),
        (7, 55, [0.5, 0.7]),
        (50, 50, [2.0, 3.0]),
        (50, 50, [0.3, 0.4]),
        (35, 2, [1.0, 1.25]),
        (2, 35, [0.8, 1.0]),
    ]:
        # The whole area in another shape never fits, so all tries fail.
        image = Image.new("RGB", (width, height))
        top, left, h, w = transforms.RandomResizedCrop.get_params(image, [1.0, 1.0], ratio)
        entry = {"from": [width, height], "ratio": ratio}
        centre.append(entry | {"box": {"left": left, "top": top, "width": w, "height": h}})
    return {"resize_short": short, "random_resized_crop_centre": centre}


def all_colors():
    colors = np.arange(1 << 24, dtype=np.uint64)
    channels = np.stack([colors >> np.uint64(shift) for shift in (16, 8, 0)], axis=-1)
    image = Image.fromarray((channels & np.uint64(255)).astype(np.uint8).reshape(4096, 4096, 3))

    def checksum(result):
        levels = np.asarray(result).reshape(-1, 3).astype(np.uint64)
        packed = levels[:, 0] << np.uint64(16) | levels[:, 1] << np.uint64(8) | levels[:, 2]
        total = splitmix64(colors << np.uint64(24) | packed).sum(dtype=np.uint64)
        return f"{int(total):016x}"

    adjusted = [("hue", 0.0), ("hue", 0.37), ("saturation", 0.45), ("saturation", 1.8)]
    rows = []
    for name, factor in adjusted:
        result = color_jitter(image, None, {"order": ADJUSTMENTS, name: factor})
        rows.append({"adjustment": name, "factor": factor, "checksum": checksum(result)})
    grey = F.rgb_to_grayscale(image, num_output_channels=3)
    return {"color_jitter": rows, "random_grayscale": checksum(grey)}


def normalize():
    """Each level occurs in each channel once: pixel i of 256 x 1 is i, 255 - i, 7 i mod 256."""
    i = np.arange(256)
    image = Image.fromarray(np.stack([i, 255 - i, 7 * i % 256], axis=-1).astype(np.uint8)[None])
    rows = []
    for mean, std in [
        ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        ([0.0, 0.1307, 1.0], [1.0, 0.3081, 1e-3]),
    ]:
        planes = transforms.Normalize(mean, std)(transforms.ToTensor()(image))
        bits = planes.contiguous().numpy().view(np.uint32).ravel().tolist()
        rows.append({"mean": mean, "std": std, "bits": bits})
    return {"cases": rows}


def render(data):
    """JSON with one line for each entry of a list of tables."""
    lines = []
    for key, value in data.items():
        if isinstance(value, list):
            entries = ",\n".join(f"    {json.dumps(entry)}" for entry in value)
            value = f"[\n{entries}\n  ]"
        else:
            value = json.dumps(value)
        lines.append(f"  {json.dumps(key)}: {value}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check

    torch.set_num_threads(1)
    made_with = {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "torchvision": torchvision.__version__.split("+")[0],
        "numpy": np.__version__,
        "pillow": PIL.__version__,
    }
    index, pictures = rendered()
    tables = {"cases": {"cases": index}, "sizes": sizes(), "all_colors": all_colors()}
    tables["normalize"] = normalize()

    differ = []
    for name, table in tables.items():
        path = HERE / f"{name}.json"
        text = render({"made_with": made_with, **table})
        assert len(text) < LIMIT, f"{path.name} has {len(text)} bytes"
        if check:
            # Another patch version of Python is no difference.
            old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            old.pop("made_with", None)
            if old != json.loads(render(table)):
                differ.append(path.name)
        else:
            path.write_text(text, encoding="utf-8")
    committed = {path.relative_to(HERE).as_posix(): path for path in HERE.glob("*/*.png")}
    for file in sorted(committed.keys() - pictures.keys()):
        if check:
            differ.append(file)
        else:
            committed[file].unlink()
    for file, result in pictures.items():
        path = HERE / file
        same = path.exists() and np.array_equal(np.asarray(Image.open(path)), np.asarray(result))
        if check and not same:
            differ.append(file)
        elif not same:
            path.parent.mkdir(exist_ok=True)
            result.save(path, optimize=True)
    print(f"{len(pictures)} pictures and {len(tables)} tables, {len(differ)} differ")
    for file in differ:
        print(f"  {file}")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
