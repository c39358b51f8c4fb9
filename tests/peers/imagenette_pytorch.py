"""PyTorch and torchvision peer of Kiln's phase 1 recipe at small scale.

Trains torchvision's ResNet-18 from scratch on an ImageNet-style folder
(DIR/train/CLASS/*.jpg, DIR/val/CLASS/*.jpg) and prints one JSON line per epoch.

The recipe:

* train transform: RandomResizedCrop(size, scale (0.08, 1), ratio (3/4, 4/3),
  bilinear with antialiasing, on PIL images), RandomHorizontalFlip, ToTensor,
  Normalize with ImageNet's mean and deviation;
* eval transform: Resize(floor(size / 0.875)) bilinear, CenterCrop(size),
  ToTensor, Normalize;
* Adam with default betas, its rate and beta1 driven by OneCycleLR (max_lr 3e-3,
  one step per optimizer step, otherwise defaults: cosine, pct_start 0.3,
  beta1 cycled 0.95 -> 0.85 -> 0.95);
* cross-entropy with label smoothing 0.1;
* micro-batches of 32, gradients of 4 averaged into one step of 128 (so batch norm
  sees 32 pictures), the incomplete last 128 of an epoch dropped;
* gradients clipped to a global L2 norm of 1.0; float32; channels_last.

train_loss, train_top1 are means over the epoch's training pictures as they were
seen (augmented, train mode, while the weights move). val_loss is the same
label-smoothed cross-entropy as train_loss. lr is the rate of the epoch's last
optimizer step. seconds is the whole epoch with its evaluation;
images_per_second counts training pictures over the training time alone.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path

import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.transforms import InterpolationMode

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1, help="loader processes")
    parser.add_argument("--micro-batch", type=int, default=32)
    parser.add_argument("--accumulate", type=int, default=4, help="micro-batches per step")
    parser.add_argument("--max-lr", type=float, default=3e-3)
    parser.add_argument("--limit-steps", type=int, default=0, help="steps per epoch, 0 = all")
    return parser.parse_args()


def train_transform(size):
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(
                size,
                scale=(0.08, 1.0),
                ratio=(3.0 / 4.0, 4.0 / 3.0),
                interpolation=InterpolationMode.BILINEAR,
                antialias=True,
            ),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def eval_transform(size):
    return transforms.Compose(
        [
            transforms.Resize(
                math.floor(size / 0.875), interpolation=InterpolationMode.BILINEAR, antialias=True
            ),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


@torch.inference_mode()
def evaluate(model, loader, criterion):
    model.eval()
    seen = top1 = top5 = 0
    loss = 0.0
    for pictures, labels in loader:
        logits = model(pictures.to(memory_format=torch.channels_last))
        loss += criterion(logits, labels).item() * len(labels)
        hits = logits.topk(5, dim=1).indices == labels[:, None]
        top1 += hits[:, 0].sum().item()
        top5 += hits.sum().item()
        seen += len(labels)
    return loss / seen, top1 / seen, top5 / seen


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    train_set = torchvision.datasets.ImageFolder(args.data / "train", train_transform(args.size))
    val_set = torchvision.datasets.ImageFolder(args.data / "val", eval_transform(args.size))
    if train_set.classes != val_set.classes:
        sys.exit("the classes of train and val differ")

    steps = len(train_set) // (args.micro_batch * args.accumulate)
    if args.limit_steps:
        steps = min(steps, args.limit_steps)
    order = torch.Generator().manual_seed(args.seed)
    train_loader = DataLoader(
        train_set,
        batch_size=args.micro_batch,
        shuffle=True,
        generator=order,
        num_workers=args.workers,
        drop_last=True,
    )
    val_loader = DataLoader(val_set, batch_size=128, num_workers=args.workers)

    model = torchvision.models.resnet18(weights=None, num_classes=len(train_set.classes))
    model = model.to(memory_format=torch.channels_last)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=args.max_lr, total_steps=steps * args.epochs
    )

    for epoch in range(1, args.epochs + 1):
        start = time.perf_counter()
        model.train()
        seen = top1 = 0
        loss_sum = 0.0
        lr = 0.0
        optimizer.zero_grad(set_to_none=True)
        for index, (pictures, labels) in enumerate(train_loader):
            logits = model(pictures.to(memory_format=torch.channels_last))
            loss = criterion(logits, labels)
            (loss / args.accumulate).backward()
            loss_sum += loss.item() * len(labels)
            top1 += (logits.detach().argmax(1) == labels).sum().item()
            seen += len(labels)
            if (index + 1) % args.accumulate == 0:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                lr = optimizer.param_groups[0]["lr"]
                optimizer.step()
                schedule.step()
                optimizer.zero_grad(set_to_none=True)
            if index + 1 == steps * args.accumulate:
                break
        trained = time.perf_counter() - start
        val_loss, val_top1, val_top5 = evaluate(model, val_loader, criterion)
        line = {
            "epoch": epoch,
            "train_loss": loss_sum / seen,
            "train_top1": top1 / seen,
            "val_loss": val_loss,
            "val_top1": val_top1,
            "val_top5": val_top5,
            "lr": lr,
            "images_per_second": seen / trained,
            "seconds": time.perf_counter() - start,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
