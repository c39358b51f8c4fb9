"""torchvision peer of the picture loader, with the transforms of torchvision's v1 API.

Decodes every JPEG of an ImageNet-style folder with Pillow and applies
RandomResizedCrop(size, bilinear, antialias), RandomHorizontalFlip, ToTensor and
Normalize, in batches. Each process works on one thread. Prints one JSON line with the
median over whole passes in images per second, and the single passes; a pass before
them warms the page cache and starts the workers.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import PIL
import torch
import torchvision
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.transforms import InterpolationMode


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="DIR/CLASS/*.jpg")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument(
        "--workers", type=int, default=0, help="loader processes, 0 = in the main process"
    )
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(1)
    transform = transforms.Compose(
        [
            transforms.RandomResizedCrop(
                args.size, interpolation=InterpolationMode.BILINEAR, antialias=True
            ),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    pictures = torchvision.datasets.ImageFolder(args.data, transform)
    loader = DataLoader(
        pictures,
        batch_size=args.batch,
        shuffle=True,
        num_workers=args.workers,
        persistent_workers=args.workers > 0,
    )

    rates = []
    for index in range(args.repeats + 1):
        start = time.perf_counter()
        seen = sum(len(labels) for _, labels in loader)
        if index > 0:
            rates.append(seen / (time.perf_counter() - start))
    line = {
        "pictures": len(pictures),
        "size": args.size,
        "batch": args.batch,
        "workers": args.workers,
        "torchvision": torchvision.__version__.split("+")[0],
        "pillow": PIL.__version__,
        "images_per_second": statistics.median(rates),
        "repeats": rates,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
