"""How tensors and fixtures are written as JSON."""

import json

import numpy as np
import torch


def number(value, dtype):
    """A float whose shortest decimal is that of the value in its own precision."""
    if dtype == torch.float32:
        single = np.float32(value)
        short = float(str(single))
        assert np.float32(short) == single, value
        return short
    return float(value)


def flat(values):
    """All values of a tensor as a flat list in row-major order."""
    return [number(v, values.dtype) for v in values.detach().reshape(-1).tolist()]


def head(values, count=8):
    """The first values of a tensor in row-major order."""
    return flat(values.detach().reshape(-1)[:count])


def is_leaf(value):
    """A list of plain values only."""
    return isinstance(value, list) and not any(isinstance(v, (dict, list)) for v in value)


def is_row(value):
    """A dict or list short enough to read on one line."""
    items = value.values() if isinstance(value, dict) else value
    return all(not isinstance(v, dict) and (not isinstance(v, list) or is_leaf(v)) for v in items)


def render(value, depth=0):
    """The fixture as JSON text with short rows on one line."""
    pad = "  " * (depth + 1)
    if isinstance(value, (dict, list)) and value and not is_leaf(value):
        line = json.dumps(value, ensure_ascii=False)
        if is_row(value) and len(line) <= 100:
            return line
        if isinstance(value, dict):
            rows = [f"{pad}{json.dumps(k)}: {render(v, depth + 1)}" for k, v in value.items()]
            return "{\n" + ",\n".join(rows) + "\n" + "  " * depth + "}"
        rows = [pad + render(v, depth + 1) for v in value]
        return "[\n" + ",\n".join(rows) + "\n" + "  " * depth + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
