"""The counter-based generator that every input tensor comes from, and its test vectors."""

import math

import numpy as np
import torch

DTYPES = {"f32": torch.float32, "f64": torch.float64}


def fnv1a64(name):
    """FNV-1a over the UTF-8 bytes of a name, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in name.encode("utf-8"):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def splitmix64(x):
    """SplitMix64 as a function of the counter, in wrapping u64."""
    with np.errstate(over="ignore"):
        z = x + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def words(name, count):
    """The first `count` 64-bit words of a name: splitmix64(fnv1a64(name) + i)."""
    with np.errstate(over="ignore"):
        return splitmix64(np.uint64(fnv1a64(name)) + np.arange(count, dtype=np.uint64))


def u(name, shape):
    """The named tensor in float64, filled in row-major order from the top 24 bits of its words.

    Every value lies in [-1, 1) and is exact in float32 as well.
    """
    values = (words(name, math.prod(shape)) >> np.uint64(40)).astype(np.float64)
    return (values / 2.0**24 * 2.0 - 1.0).reshape(shape)


def tensor(values, dtype):
    """Float64 values rounded to float32, held in `dtype`."""
    return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(dtype)


def fixture():
    """Test vectors of the generator."""
    cases = []
    for name in ("w", "grad.w.0", "input", "layer1.0.conv1.weight"):
        cases.append(
            {
                "name": name,
                "fnv1a64": f"0x{fnv1a64(name):016x}",
                "splitmix64": [f"0x{int(word):016x}" for word in words(name, 4)],
                "u": u(name, (4,)).tolist(),
            }
        )
    return {
        "note": "first four elements of named tensors; u is exact in float32",
        "cases": cases,
    }
