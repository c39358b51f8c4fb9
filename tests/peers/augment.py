"""Peers of the augmentations: the same ops in albumentations, torchvision and Pillow.

    python augment.py TABLE PHOTO.jpg...          one JSON line for each row of the table
    python augment.py --only NAME TABLE PHOTO.jpg...

Everything runs on one thread. Pictures are decoded before, each library gets them in the
form it likes best: albumentations numpy arrays, torchvision uint8 tensors (transforms v2),
Pillow its own pictures. Prints the seconds for a picture and library.
"""

import argparse
import json
import os
import time
import tomllib
import warnings
from pathlib import Path

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
warnings.filterwarnings("ignore")

import albumentations as A
import cv2
import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from torchvision.transforms import InterpolationMode, v2

cv2.setNumThreads(1)
torch.set_num_threads(1)
torch.manual_seed(1)

BICUBIC = InterpolationMode.BICUBIC
WARM_UP = 4
RNG = np.random.default_rng(1)


def uniform(low, high):
    return float(RNG.uniform(low, high))


EIGENVALUES = torch.tensor([0.2175, 0.0188, 0.0045])
EIGENVECTORS = torch.tensor([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


def lighting(tensor):
    noise = (EIGENVECTORS * torch.randn(3) * 0.1 * EIGENVALUES).sum(1)
    return (tensor + 255 * noise[:, None, None]).clamp_(0, 255).round_().to(torch.uint8)


JITTER = v2.ColorJitter(0.3, 0.3, 0.3)


def three_augment(image):
    match RNG.integers(3):
        case 0:
            image = image.convert("L").convert("RGB")
        case 1:
            image = ImageOps.solarize(image)
        case 2:
            image = image.filter(ImageFilter.GaussianBlur(uniform(0.1, 2.0)))
    return JITTER(image)


# name: (albumentations, torchvision, Pillow); None where a library has no such op.
PEERS = {
    "resize bilinear 224": (
        A.Resize(224, 224, interpolation=cv2.INTER_AREA),
        v2.Resize((224, 224), antialias=True),
        lambda image: image.resize((224, 224), Image.Resampling.BILINEAR),
    ),
    "resize bicubic 224": (
        None,  # OpenCV's bicubic does not antialias
        v2.Resize((224, 224), BICUBIC, antialias=True),
        lambda image: image.resize((224, 224), Image.Resampling.BICUBIC),
    ),
    "random resized crop 224": (
        A.RandomResizedCrop((224, 224), interpolation=cv2.INTER_AREA),
        v2.RandomResizedCrop(224, antialias=True),
        None,
    ),
    "center crop 224": (A.CenterCrop(224, 224), v2.CenterCrop(224), lambda image: image.crop((137, 220, 361, 444))),
    "random crop 224": (A.RandomCrop(224, 224), v2.RandomCrop(224), lambda image: image.crop((77, 120, 301, 344))),
    "pad 4 reflect": (
        lambda image: cv2.copyMakeBorder(image, 4, 4, 4, 4, cv2.BORDER_REFLECT_101),
        v2.Pad(4, padding_mode="reflect"),
        None,
    ),
    "horizontal flip": (A.HorizontalFlip(p=1), v2.RandomHorizontalFlip(1), ImageOps.mirror),
    "vertical flip": (A.VerticalFlip(p=1), v2.RandomVerticalFlip(1), ImageOps.flip),
    "color jitter": (A.ColorJitter((0.6, 1.4), (0.6, 1.4), (0.6, 1.4), (-0.1, 0.1), p=1), v2.ColorJitter(0.4, 0.4, 0.4, 0.1), None),
    "brightness": (
        A.ColorJitter((0.6, 1.4), (1, 1), (1, 1), (0, 0), p=1),
        v2.ColorJitter(brightness=0.4),
        lambda image: ImageEnhance.Brightness(image).enhance(uniform(0.6, 1.4)),
    ),
    "contrast": (
        A.ColorJitter((1, 1), (0.6, 1.4), (1, 1), (0, 0), p=1),
        v2.ColorJitter(contrast=0.4),
        lambda image: ImageEnhance.Contrast(image).enhance(uniform(0.6, 1.4)),
    ),
    "saturation": (
        A.ColorJitter((1, 1), (1, 1), (0.6, 1.4), (0, 0), p=1),
        v2.ColorJitter(saturation=0.4),
        lambda image: ImageEnhance.Color(image).enhance(uniform(0.6, 1.4)),
    ),
    "hue": (A.ColorJitter((1, 1), (1, 1), (1, 1), (-0.1, 0.1), p=1), v2.ColorJitter(hue=0.1), None),
    "clahe": (A.CLAHE(p=1), None, None),
    "tone curve": (A.RandomToneCurve(p=1), None, None),
    "tone curve per channel": (A.RandomToneCurve(per_channel=True, p=1), None, None),
    "fancy pca": (A.FancyPCA(p=1), None, None),
    "lighting": (None, lighting, None),
    "three augment": (
        None,
        v2.Compose([v2.RandomChoice([v2.Grayscale(3), v2.RandomSolarize(128, p=1), v2.GaussianBlur(9, (0.1, 2.0))]), v2.ColorJitter(0.3, 0.3, 0.3)]),
        three_augment,
    ),
    "equalize": (A.Equalize(mode="pil", p=1), v2.RandomEqualize(1), ImageOps.equalize),
    "autocontrast": (A.AutoContrast(p=1), v2.RandomAutocontrast(1), ImageOps.autocontrast),
    "hue saturation value": (A.HueSaturationValue(p=1), None, None),
    "gamma": (A.RandomGamma(p=1), None, None),
    "sepia": (A.ToSepia(p=1), None, None),
    "sharpness": (
        A.Sharpen(method="kernel", p=1),
        v2.RandomAdjustSharpness(2, 1),
        lambda image: ImageEnhance.Sharpness(image).enhance(2.0),
    ),
    "posterize": (A.Posterize(num_bits=4, p=1), v2.RandomPosterize(4, 1), lambda image: ImageOps.posterize(image, 4)),
    "solarize": (A.Solarize((0.5, 0.5), p=1), v2.RandomSolarize(128, 1), ImageOps.solarize),
    "invert": (A.InvertImg(p=1), v2.RandomInvert(1), ImageOps.invert),
    "brightness contrast": (A.RandomBrightnessContrast(p=1), None, None),
    "rgb shift": (A.RGBShift(p=1), None, None),
    "channel shuffle": (A.ChannelShuffle(p=1), v2.RandomChannelPermutation(), None),
    "grayscale": (A.ToGray(p=1), v2.Grayscale(3), lambda image: image.convert("L").convert("RGB")),
}


def measure(apply, pictures, copy):
    """Seconds for each picture. Each is copied outside of the clock, so that it is in the
    caches as right after decoding."""
    spent = 0.0
    for index, picture in enumerate(pictures[:WARM_UP] + pictures):
        fresh = copy(picture)
        began = time.perf_counter()
        apply(fresh)
        if index >= WARM_UP:
            spent += time.perf_counter() - began
    return spent / len(pictures)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("table", type=Path)
    parser.add_argument("photos", nargs="+")
    args = parser.parse_args()

    names = [row["name"] for row in tomllib.loads(args.table.read_text())["row"]]
    missing = [name for name in names if name not in PEERS]
    assert not missing, f"no peer for {missing}"
    images = [Image.open(path).convert("RGB") for path in args.photos]
    arrays = [np.asarray(image) for image in images]
    tensors = [torch.from_numpy(array.copy()).permute(2, 0, 1).contiguous() for array in arrays]
    for name in names:
        if args.only not in (None, name):
            continue
        albumentations, torchvision, pillow = PEERS[name]
        line = {"name": name}
        if albumentations is not None:
            op = albumentations
            apply = (lambda array, op=op: op(image=array)["image"]) if isinstance(op, A.BasicTransform) else op
            line["albumentations"] = measure(apply, arrays, np.ndarray.copy)
        if torchvision is not None:
            line["torchvision"] = measure(torchvision, tensors, torch.clone)
        if pillow is not None:
            line["Pillow"] = measure(pillow, images, Image.Image.copy)
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
