"""PyTorch peer of one training step or inference, in float32 or under automatic mixed precision.

Times forward, cross-entropy, backward and SGD's step (or a forward pass in evaluation)
on one fixed batch of random pictures, and prints one JSON line: the median in images per
second, the figure of every step and the peak resident memory of the process.
"""

import argparse
import json
import resource
import statistics
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional


class CifarBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut without parameters (He et al. 2015, option A)."""

    def __init__(self, inputs, width):
        super().__init__()
        stride = width // inputs
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.added = stride, width - inputs

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        if self.stride != 1:
            half = self.added // 2
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, half))
        y += x
        return functional.relu(y, inplace=True)


class ResNet20(nn.Module):
    """ResNet-20 for 32 px pictures."""

    def __init__(self, classes):
        super().__init__()
        widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.blocks = nn.Sequential(*(CifarBlock(a, b) for a, b in zip(widths, widths[1:])))
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = self.blocks(functional.relu(self.bn1(self.conv1(x)), inplace=True))
        return self.fc(x.mean((2, 3)))


def build(name, classes):
    if name == "resnet20":
        return ResNet20(classes)
    return torchvision.models.get_model(name, weights=None, num_classes=classes)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="resnet18", help="resnet18, resnet50, resnet20, efficientnet_b0, efficientnet_b3")
    parser.add_argument("--mode", choices=["train", "inference"], default="train")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--steps", type=int, default=7, help="steps that are timed")
    parser.add_argument("--warm", type=int, default=2, help="steps before them")
    parser.add_argument("--device", default="cpu", help="cpu, cuda:0, mps")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    # As fast as PyTorch is when it is asked to be.
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(1)
    device = torch.device(args.device)
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    model = build(args.network, 10).to(device, memory_format=layout)
    model.train(args.mode == "train")
    run = torch.compile(model) if args.compile else model
    pictures = torch.randn(args.batch, 3, args.size, args.size).to(device, memory_format=layout)
    labels = torch.randint(0, 10, (args.batch,), device=device)
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=args.precision == "bf16")
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def train():
        optimizer.zero_grad(set_to_none=True)
        with mixed:
            loss = criterion(run(pictures), labels)
        loss.backward()
        optimizer.step()

    def infer():
        with torch.inference_mode(), mixed:
            run(pictures)

    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()

    step = train if args.mode == "train" else infer
    rates = []
    for number in range(args.warm + args.steps):
        start = time.perf_counter()
        step()
        wait()
        if number + 1 == args.warm and device.type == "cuda":
            # Not what was tried to find the fastest kernels.
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(device)
        if number >= args.warm:
            rates.append(args.batch / (time.perf_counter() - start))
    if device.type == "cuda":
        peak = torch.cuda.max_memory_reserved(device)
    elif device.type == "mps":
        peak = torch.mps.driver_allocated_memory()
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    line = {"images_per_second": statistics.median(rates), "repeats": rates, "peak_bytes": peak}
    print(json.dumps(line))


if __name__ == "__main__":
    main()
