"""Writes the golden fixtures of evaluation and analysis beside it, or with --check compares them."""

import argparse
import importlib
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
LIMIT = 200 * 1024

# How fixtures are written, compared and filled is that of the numeric ones.
sys.path.append(str(HERE.parent / "numeric"))

from comparison import DEFAULT_TOLERANCE, compare  # noqa: E402
from writing import render  # noqa: E402

# Each module makes the fixture of its own name. Its PACKAGES are those that it takes results
# from; without them it is left out. Its TOLERANCE, if it has one, is that of --check.
FIXTURES = (
    "metrics",
    "lr_finder",
    "cams",
)


def loaded(name, asked):
    """The module of a fixture, or None if a package that it needs is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if asked:
            raise
        print(f"{name}.json: left out, {error.name} is not installed")
        return None


def main():
    """Makes every fixture, then writes it or compares it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--only", action="append", help="one fixture; may be repeated")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    failed = False
    for name in FIXTURES:
        if arguments.only and name not in arguments.only:
            continue
        module = loaded(name, arguments.only)
        if module is None:
            continue
        made_with = {"python": platform.python_version()}
        for package in ("torch", "numpy", *module.PACKAGES):
            made_with[package] = version(package).split("+")[0]
        path = HERE / f"{name}.json"
        data = {"made_with": made_with, **module.fixture()}
        text = render(data) + "\n"
        assert json.loads(text) == data
        assert len(text) < LIMIT, f"{path.name} has {len(text)} bytes"
        if not arguments.check:
            path.write_text(text, encoding="utf-8")
            print(f"{path.name}: {len(text)} bytes")
            continue
        old = path.read_text(encoding="utf-8")
        report = []
        tolerance = getattr(module, "TOLERANCE", DEFAULT_TOLERANCE)
        compare(json.loads(old), json.loads(text), name, tolerance, report)
        failed |= bool(report)
        verdict = "DIFFERS" if report else "identical" if old == text else "close"
        print(f"{path.name}: {verdict}")
        for line in report[:20]:
            print(f"  {line}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
