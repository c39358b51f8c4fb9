"""Peers of the augmentations: the same ops in albumentations, torchvision and Pillow.

    python augment.py PHOTO.jpg...

Reads names of rows of `augment.toml` from standard input, and answers each with a line of
JSON: the seconds for a picture, by library. `cargo xtask bench augment --peers` runs it.
Everything runs on one thread. Pictures are decoded before, each library gets them in the
form it likes best: albumentations numpy arrays, torchvision uint8 tensors (transforms v2),
Pillow its own pictures; torchvision on those counts as Pillow.
"""

import io
import json
import os
import sys
import time
import warnings

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
warnings.filterwarnings("ignore")

import albumentations as A
import cv2
import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from timm.data.auto_augment import rand_augment_transform
from torchvision import transforms
from torchvision.transforms import InterpolationMode, v2

cv2.setNumThreads(1)
torch.set_num_threads(1)
torch.manual_seed(1)

NEAREST = InterpolationMode.NEAREST
BILINEAR = InterpolationMode.BILINEAR
BICUBIC = InterpolationMode.BICUBIC
# ImageNet's principal components (Krizhevsky et al., 2012).
EIGENVALUES = torch.tensor([0.2175, 0.0188, 0.0045])
EIGENVECTORS = torch.tensor([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
JITTER = v2.ColorJitter(0.3, 0.3, 0.3)
WARM_UP = 4
TURNS = [None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270]
RNG = np.random.default_rng(1)


def uniform(low, high):
    return float(RNG.uniform(low, high))


def quarters():
    return int(RNG.integers(4))


def turn(image):
    turn = TURNS[quarters()]
    return image if turn is None else image.transpose(turn)


def jpeg(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(RNG.integers(50, 91)))
    return Image.open(file).convert("RGB")


def rotated(filter):
    """Pillow turns by an angle; what torchvision adds is drawing it."""
    return lambda image: image.rotate(uniform(-15, 15), filter)


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


def lighting(tensor):
    noise = (EIGENVECTORS * torch.randn(3) * 0.1 * EIGENVALUES).sum(1)
    return (tensor + 255 * noise[:, None, None]).clamp_(0, 255).round_().to(torch.uint8)


def three_augment(image):
    match RNG.integers(3):
        case 0:
            image = image.convert("L").convert("RGB")
        case 1:
            image = ImageOps.solarize(image)
        case 2:
            image = image.filter(ImageFilter.GaussianBlur(uniform(0.1, 2.0)))
    return JITTER(image)


def on_tensors_and_pictures(op):
    return None, op, op


# name: (albumentations, torchvision, Pillow); None where a library has no such op.
PEERS = {
    # Geometry
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
    "resize short side 256": (
        A.SmallestMaxSize(256, interpolation=cv2.INTER_AREA),
        v2.Resize(256, antialias=True),
        transforms.Resize(256),
    ),
    "resize long side 224": (
        A.LongestMaxSize(224, interpolation=cv2.INTER_AREA),
        v2.Resize(None, max_size=224, antialias=True),
        None,
    ),
    "random resized crop 224": (
        A.RandomResizedCrop((224, 224), interpolation=cv2.INTER_AREA),
        v2.RandomResizedCrop(224, antialias=True),
        transforms.RandomResizedCrop(224),
    ),
    "center crop 224": (A.CenterCrop(224, 224), v2.CenterCrop(224), lambda image: image.crop((137, 220, 361, 444))),
    "random crop 224": (A.RandomCrop(224, 224), v2.RandomCrop(224), lambda image: image.crop((77, 120, 301, 344))),
    "pad 4 reflect": (
        lambda image: cv2.copyMakeBorder(image, 4, 4, 4, 4, cv2.BORDER_REFLECT_101),
        v2.Pad(4, padding_mode="reflect"),
        transforms.Pad(4, padding_mode="reflect"),
    ),
    "horizontal flip": (A.HorizontalFlip(p=1), v2.RandomHorizontalFlip(1), ImageOps.mirror),
    "vertical flip": (A.VerticalFlip(p=1), v2.RandomVerticalFlip(1), ImageOps.flip),
    "transpose": (A.Transpose(p=1), None, lambda image: image.transpose(Image.Transpose.TRANSPOSE)),
    "rotate by quarters": (
        A.Compose([A.CenterCrop(448, 448), A.RandomRotate90(p=1)]),
        v2.Compose([v2.CenterCrop(448), lambda image: torch.rot90(image, quarters(), (1, 2)).contiguous()]),
        transforms.Compose([transforms.CenterCrop(448), turn]),
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
    "rotation bicubic": (
        A.Rotate((-15, 15), cv2.INTER_CUBIC, cv2.BORDER_CONSTANT, p=1),
        None,  # not on tensors
        rotated(Image.Resampling.BICUBIC),
    ),
    "affine bilinear": (
        A.Affine((0.9, 1.1), (-0.1, 0.1), None, (-15, 15), {"x": (-5, 5), "y": (0, 0)}, keep_ratio=True, p=1),
        affine(BILINEAR),
        affine(BILINEAR),
    ),
    "perspective bilinear": (
        perspective,  # albumentations moves the corners otherwise
        v2.RandomPerspective(0.5, 1),
        v2.RandomPerspective(0.5, 1),
    ),
    "shift-scale-rotate": (shift_scale_rotate(cv2.BORDER_CONSTANT), None, None),
    "shift-scale-rotate reflect": (shift_scale_rotate(cv2.BORDER_REFLECT_101), None, None),
    "elastic": (A.ElasticTransform(120, 6, p=1), v2.ElasticTransform(120.0, 6.0), None),
    "elastic wide": (A.ElasticTransform(p=1), None, None),  # torchvision takes minutes
    "grid distortion": (A.GridDistortion(p=1), None, None),
    "optical distortion": (A.OpticalDistortion(p=1), None, None),
    # Colour
    "color jitter": (
        A.ColorJitter((0.6, 1.4), (0.6, 1.4), (0.6, 1.4), (-0.1, 0.1), p=1),
        v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
        transforms.ColorJitter(0.4, 0.4, 0.4, 0.1),
    ),
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
    "hue": (
        A.ColorJitter((1, 1), (1, 1), (1, 1), (-0.1, 0.1), p=1),
        v2.ColorJitter(hue=0.1),
        transforms.ColorJitter(hue=0.1),
    ),
    "grayscale": (A.ToGray(p=1), v2.Grayscale(3), lambda image: image.convert("L").convert("RGB")),
    "brightness-contrast": (A.RandomBrightnessContrast(0.2, 0.2, p=1), None, None),
    "hue-saturation-value": (A.HueSaturationValue(20, 30, 20, p=1), None, None),
    "RGB shift": (A.RGBShift(20, 20, 20, p=1), None, None),
    "channel shuffle": (A.ChannelShuffle(p=1), v2.RandomChannelPermutation(), None),
    "invert": (A.InvertImg(p=1), v2.RandomInvert(1), ImageOps.invert),
    "solarize": (
        A.Solarize((0.5, 0.5), p=1),
        v2.RandomSolarize(128, 1),
        lambda image: ImageOps.solarize(image, 128),
    ),
    "posterize": (
        A.Posterize((4, 4), p=1),
        v2.RandomPosterize(4, 1),
        lambda image: ImageOps.posterize(image, 4),
    ),
    "equalize": (A.Equalize(mode="pil", p=1), v2.RandomEqualize(1), ImageOps.equalize),
    "autocontrast": (A.AutoContrast(p=1), v2.RandomAutocontrast(1), ImageOps.autocontrast),
    "sharpness": (
        None,  # its Sharpen is another filter
        v2.RandomAdjustSharpness(2, 1),
        lambda image: ImageEnhance.Sharpness(image).enhance(2),
    ),
    "gamma": (A.RandomGamma((80, 120), p=1), None, None),
    "sepia": (A.ToSepia(p=1), None, None),
    "CLAHE": (A.CLAHE(p=1), None, None),
    "tone curve": (A.RandomToneCurve(p=1), None, None),
    "tone curve of each channel": (A.RandomToneCurve(per_channel=True, p=1), None, None),
    "fancy PCA": (A.FancyPCA(p=1), None, None),
    "lighting": (None, lighting, None),
    # Quality
    "gauss noise": (
        A.GaussNoise(std_range=(10**0.5 / 255, 50**0.5 / 255), p=1),
        v2.GaussianNoise(sigma=30**0.5 / 255),
        None,
    ),
    "salt and pepper": (A.SaltAndPepper(p=1), None, None),
    "multiplicative noise": (A.MultiplicativeNoise(per_channel=True, elementwise=True, p=1), None, None),
    "ISO noise": (A.ISONoise(p=1), None, None),
    "downscale": (A.Downscale((0.25, 0.5), p=1), None, None),
    "snow": (A.RandomSnow(p=1), None, None),
    "rain": (A.RandomRain(p=1), None, None),
    "fog": (A.RandomFog(p=1), None, None),
    "gaussian blur": (
        A.GaussianBlur(blur_limit=0, sigma_limit=(0.5, 3.0), p=1),
        v2.GaussianBlur(9, (0.5, 3.0)),
        lambda image: image.filter(ImageFilter.GaussianBlur(uniform(0.5, 3.0))),
    ),
    "box blur": (
        A.Blur((3, 7), p=1),
        None,
        lambda image: image.filter(ImageFilter.BoxBlur(int(RNG.integers(1, 4)))),
    ),
    "median blur": (
        A.MedianBlur((3, 7), p=1),
        None,
        lambda image: image.filter(ImageFilter.MedianFilter(2 * int(RNG.integers(1, 4)) + 1)),
    ),
    "motion blur": (A.MotionBlur((3, 7), p=1), None, None),
    "defocus": (A.Defocus((3, 10), (0.1, 0.5), p=1), None, None),
    "JPEG compression": (A.ImageCompression(quality_range=(50, 90), p=1), v2.JPEG((50, 90)), jpeg),
    # Erasing
    "random erasing, a colour": (
        A.Erasing((0.02, 0.33), (0.3, 3.3), fill=0, p=1),
        v2.RandomErasing(1, (0.02, 0.33), (0.3, 3.3), value=0),
        None,
    ),
    "random erasing, noise": (
        A.Erasing((0.02, 0.33), (0.3, 3.3), fill="random", p=1),
        None,  # needs floats
        None,
    ),
    "cutout": (
        A.CoarseDropout((1, 1), (64, 64), (64, 64), fill=0, p=1),
        None,
        None,
    ),
    "coarse dropout": (A.CoarseDropout((4, 8), (32, 96), (32, 96), fill=0, p=1), None, None),
    "coarse dropout, noise": (A.CoarseDropout((4, 8), (32, 96), (32, 96), fill="random", p=1), None, None),
    "grid dropout": (A.GridDropout(0.5, unit_size_range=(40, 80), p=1), None, None),
    # Policies
    "RandAugment (2, 9)": on_tensors_and_pictures(v2.RandAugment(2, 9)),
    "RandAugment (2, 9), timm": (None, None, rand_augment_transform("rand-m9-n2", {})),
    "AutoAugment": on_tensors_and_pictures(v2.AutoAugment()),
    "TrivialAugmentWide": on_tensors_and_pictures(v2.TrivialAugmentWide()),
    "3-Augment": (
        None,
        v2.Compose([v2.RandomChoice([v2.Grayscale(3), v2.RandomSolarize(128, 1), v2.GaussianBlur(9, (0.1, 2.0))]), JITTER]),
        three_augment,
    ),
    "AugMix": on_tensors_and_pictures(v2.AugMix()),
    "policy of phase 2": (
        A.Compose(
            [
                A.OneOf(
                    [
                        shift_scale_rotate(cv2.BORDER_CONSTANT),
                        A.ElasticTransform(1, 50, p=1),
                        A.GridDistortion(5, (-0.3, 0.3), p=1),
                    ],
                    p=0.3,
                ),
                A.OneOf(
                    [
                        A.GaussNoise(std_range=(10**0.5 / 255, 50**0.5 / 255), p=1),
                        A.GaussianBlur((3, 7), (0.5, 3.0), p=1),
                        A.MotionBlur((3, 7), p=1),
                    ],
                    p=0.3,
                ),
                A.OneOf(
                    [
                        A.RandomBrightnessContrast(0.2, 0.2, p=1),
                        A.HueSaturationValue(20, 30, 20, p=1),
                        A.RGBShift(20, 20, 20, p=1),
                    ],
                    p=0.3,
                ),
            ]
        ),
        None,
        None,
    ),
    "one of three": (
        A.OneOf([A.HorizontalFlip(p=1), A.ToGray(p=1), A.InvertImg(p=1)], p=1),
        v2.RandomChoice([v2.RandomHorizontalFlip(1), v2.Grayscale(3), v2.RandomInvert(1)]),
        v2.RandomChoice([v2.RandomHorizontalFlip(1), v2.Grayscale(3), v2.RandomInvert(1)]),
    ),
    "crop, flip, color jitter": (
        A.Compose(
            [
                A.RandomResizedCrop((224, 224), interpolation=cv2.INTER_AREA),
                A.HorizontalFlip(p=0.5),
                A.ColorJitter((0.6, 1.4), (0.6, 1.4), (0.6, 1.4), (-0.1, 0.1), p=1),
            ]
        ),
        v2.Compose(
            [
                v2.RandomResizedCrop(224, antialias=True),
                v2.RandomHorizontalFlip(0.5),
                v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
            ]
        ),
        transforms.Compose(
            [
                transforms.RandomResizedCrop(224),
                transforms.RandomHorizontalFlip(0.5),
                transforms.ColorJitter(0.4, 0.4, 0.4, 0.1),
            ]
        ),
    ),
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
    images = [Image.open(path).convert("RGB") for path in sys.argv[1:]]
    arrays = [np.asarray(image) for image in images]
    tensors = [torch.from_numpy(array.copy()).permute(2, 0, 1).contiguous() for array in arrays]
    for name in map(str.strip, sys.stdin):
        albumentations, torchvision, pillow = PEERS[name]
        seconds = {}
        if albumentations is not None:
            on_arrays = isinstance(albumentations, (A.BasicTransform, A.BaseCompose))
            apply = (lambda array: albumentations(image=array)) if on_arrays else albumentations
            seconds["albumentations"] = measure(apply, arrays, np.ndarray.copy)
        if torchvision is not None:
            seconds["torchvision"] = measure(torchvision, tensors, torch.clone)
        if pillow is not None:
            seconds["pillow"] = measure(pillow, images, Image.Image.copy)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
