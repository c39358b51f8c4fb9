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
from torchvision import transforms
from torchvision.transforms import InterpolationMode, v2

cv2.setNumThreads(1)
torch.set_num_threads(1)
torch.manual_seed(1)

BICUBIC = InterpolationMode.BICUBIC
BILINEAR = InterpolationMode.BILINEAR
NEAREST = InterpolationMode.NEAREST
WARM_UP = 4
RNG = np.random.default_rng(1)


def uniform(low, high):
    return float(RNG.uniform(low, high))


def rotated(filter):
    """Pillow turns by an angle; what torchvision adds is drawing it."""
    return lambda image: image.rotate(uniform(-15, 15), filter)


def on_pillow(op):
    """torchvision's op on Pillow's pictures, which is Pillow's."""
    return lambda image: op(image)


def affine(interpolation):
    return v2.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), 5, interpolation=interpolation)


def perspective(image):
    """OpenCV with torchvision's corners."""
    height, width = image.shape[:2]
    start, end = transforms.RandomPerspective.get_params(width, height, 0.5)
    matrix = cv2.getPerspectiveTransform(np.float32(start), np.float32(end))
    return cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_LINEAR)


def shift_scale_rotate(border):
    return A.ShiftScaleRotate(0.1, 0.1, 15, border_mode=border, p=1)


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
    "resize long 224": (
        A.LongestMaxSize(224, interpolation=cv2.INTER_AREA),
        v2.Resize(None, max_size=224, antialias=True),
        None,
    ),
    "rotation nearest": (
        A.Rotate((-15, 15), cv2.INTER_NEAREST, cv2.BORDER_CONSTANT, p=1),
        v2.RandomRotation(15, NEAREST),
        rotated(Image.Resampling.NEAREST),
    ),
    "rotation bilinear": (
        A.Rotate((-15, 15), cv2.INTER_LINEAR, cv2.BORDER_CONSTANT, p=1),
        v2.RandomRotation(15, BILINEAR),
        rotated(Image.Resampling.BILINEAR),
    ),
    "affine bilinear": (
        A.Affine((0.9, 1.1), (-0.1, 0.1), None, (-15, 15), {"x": (-5, 5), "y": (0, 0)}, keep_ratio=True, p=1),
        affine(BILINEAR),
        on_pillow(affine(BILINEAR)),
    ),
    "perspective bilinear": (
        perspective,  # albumentations moves the corners otherwise
        v2.RandomPerspective(0.5, 1),
        on_pillow(v2.RandomPerspective(0.5, 1)),
    ),
    "shift scale rotate": (shift_scale_rotate(cv2.BORDER_CONSTANT), None, None),
    "shift scale rotate reflect": (shift_scale_rotate(cv2.BORDER_REFLECT_101), None, None),
    "elastic": (A.ElasticTransform(120, 6, p=1), v2.ElasticTransform(120.0, 6.0), None),
    "elastic wide": (A.ElasticTransform(p=1), None, None),  # torchvision takes minutes
    "grid distortion": (A.GridDistortion(p=1), None, None),
    "optical distortion": (A.OpticalDistortion(p=1), None, None),
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
