"""PyTorch peer of one training step: torchvision's ResNet-18, float32, SGD.

Times forward, cross-entropy, backward and the optimizer's step on one fixed batch of
random pictures, and prints one JSON line with the median of the repeats in images
per second, and the single figures.
"""

import argparse
import json
import statistics
import time

import torch
import torchvision
from torch import nn


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--warmup", type=int, default=3, help="steps before the first timing")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--steps", type=int, default=2, help="steps in each timing")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    model = torchvision.models.resnet18(weights=None).to(memory_format=layout)
    model.train()
    pictures = torch.randn(args.batch, 3, args.size, args.size).to(memory_format=layout)
    labels = torch.randint(0, 1000, (args.batch,))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step():
        optimizer.zero_grad(set_to_none=True)
        criterion(model(pictures), labels).backward()
        optimizer.step()

    for _ in range(args.warmup):
        step()
    rates = []
    for _ in range(args.repeats):
        start = time.perf_counter()
        for _ in range(args.steps):
            step()
        rates.append(args.batch * args.steps / (time.perf_counter() - start))
    line = {
        "network": "resnet18",
        "batch": args.batch,
        "size": args.size,
        "threads": args.threads,
        "layout": "channels_last" if args.channels_last else "contiguous",
        "torch": torch.__version__.split("+")[0],
        "images_per_second": statistics.median(rates),
        "repeats": rates,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
