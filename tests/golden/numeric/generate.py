"""Writes the numeric golden fixtures beside it, or with --check compares them."""

import argparse
import json
import platform
import sys
import warnings
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision

import averages
import clip
import efficientnets
import generator
import layer_decay
import losses
import optimizers
import resnet_variants
import resnets
import schedules
from comparison import DEFAULT_TOLERANCE, TOLERANCE, compare
from writing import render

HERE = Path(__file__).resolve().parent
LIMIT = 200 * 1024

# Each module makes the fixture of its own name.
FIXTURES = (
    generator,
    averages,
    optimizers,
    schedules,
    layer_decay,
    losses,
    clip,
    resnets,
    resnet_variants,
    efficientnets,
)


def main():
    """Makes every fixture, then writes it or compares it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--only", action="append", help="one fixture; may be repeated")
    arguments = parser.parse_args()
    check = arguments.check

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    warnings.filterwarnings("error", category=UserWarning)
    made_with = {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "torchvision": torchvision.__version__.split("+")[0],
        "timm": timm.__version__,
        "numpy": np.__version__,
    }
    failed = False
    for module in FIXTURES:
        if arguments.only and module.__name__ not in arguments.only:
            continue
        path = HERE / f"{module.__name__}.json"
        data = {"made_with": made_with, **module.fixture()}
        text = render(data) + "\n"
        assert json.loads(text) == data
        assert len(text) < LIMIT, f"{path.name} has {len(text)} bytes"
        if not check:
            path.write_text(text, encoding="utf-8")
            print(f"{path.name}: {len(text)} bytes")
            continue
        old = path.read_text(encoding="utf-8")
        report = []
        tolerance = TOLERANCE.get(path.stem, DEFAULT_TOLERANCE)
        compare(json.loads(old), json.loads(text), path.stem, tolerance, report)
        failed |= bool(report)
        verdict = "DIFFERS" if report else "identical" if old == text else "close"
        print(f"{path.name}: {verdict}")
        for line in report[:20]:
            print(f"  {line}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
