"""Writes the golden fixtures of the augmentations: the results of each op's reference.

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
    MODULE.json       for each of them: the input, the op's settings as an experiment
                      writes them, the draw, and by how many levels a result may differ;
                      MODULE.py has the references and the cases
    sizes.json        sizes and rectangles that torchvision computes without randomness
    all_colors.json   checksums of colour adjustments of all 2^24 colours: the sum of
                      splitmix64(c << 24 | result of c) over all c, as R << 16 | G << 8 | B
    mix.json          bits of mixed batches of timm, and the soft labels
    normalize.json    bits of the float32 results of ToTensor and Normalize
"""

import argparse
import json
import platform
import sys
from pathlib import Path

import albumentations
import cv2
import numpy as np
import PIL
import timm
import torch
import torchvision
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional as F

import blur
import color
import distortion
import erasing
import geometry
import mix
import noise
import policy
from pictures import picture, splitmix64

HERE = Path(__file__).resolve().parent
LIMIT = 128 * 1024
MODULES = [geometry, distortion, color, noise, blur, erasing, policy]


# The fixtures.


def rendered(module):
    """The index of a module, and the picture of each of its cases by file name.

    A case is the op, what is special, the kind and size of the input, the settings, the draw
    (None if there is none) and, unless the result must be equal to the bit, the corridor:
    {"within": levels} or {"within": levels, "except": part of all levels}.
    """
    index, pictures = [], {}
    for op, name, kind, (width, height), settings, draw, *corridor in module.cases():
        result = module.OPS[op](picture(kind, width, height), settings, draw)
        result = Image.fromarray(result) if isinstance(result, np.ndarray) else result
        assert result.mode == "RGB"
        file = f"{op}/{name}-of-{kind}-{width}x{height}.png"
        assert file not in pictures, file
        pictures[file] = result
        entry = {"file": file, "input": {"kind": kind, "width": width, "height": height}}
        entry |= {"spec": {"type": op, **settings}, "within": 0}
        entry |= corridor[0] if corridor else {}
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
    return {"resize_short": short, "random_resized_crop_centre": centre, "five_crop": five_crops()}


def five_crops():
    """The upper left corners, `[left, top]`, of the rectangles that `FiveCrop` cuts out."""
    rows = []
    for width, height, size in [
        (11, 8, [5, 4]),
        (10, 9, [5, 4]),
        (9, 7, [7, 9]),
        (7, 5, [2, 4]),
        (6, 6, [6, 6]),
        (1, 1, [1, 1]),
        (31, 2, [1, 30]),
        (200, 150, [101, 51]),
    ]:
        y, x = np.mgrid[:height, :width]
        image = Image.fromarray(np.stack([x, y, y], axis=-1).astype(np.uint8))
        crops = [crop.getpixel((0, 0))[:2] for crop in transforms.FiveCrop(size)(image)]
        entry = {"from": [width, height], "size": size}
        rows.append(entry | {"corners": [list(corner) for corner in crops]})
    return rows


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
        result = color.color_jitter(image, None, {"order": color.ADJUSTMENTS, name: factor})
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
        "opencv": cv2.__version__,
        "albumentations": albumentations.__version__,
        "timm": timm.__version__,
    }
    tables, pictures = {"sizes": sizes(), "all_colors": all_colors(), "mix": mix.table()}, {}
    for module in MODULES:
        index, made = rendered(module)
        tables[module.__name__] = {"cases": index}
        pictures |= made
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
