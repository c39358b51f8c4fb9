"""The rule that fills a network's parameters and buffers from the generator."""

import math

from generator import tensor, u

FILL = {
    "precision": "computed in float64 as written, left to right, then rounded to float32",
    "conv weight": "u * sqrt(6 / fan_in), fan_in = in_channels * kernel_h * kernel_w",
    "linear weight": "u * sqrt(3 / fan_in), fan_in = in_features",
    "linear and conv bias": "0.1 * u",
    "norm weight": "1 + 0.1 * u",
    "last norm weight of a residual branch": (
        "0.2 + 0.1 * u (bn2 of basic blocks, bn3 of bottlenecks, the projection's norm of inverted "
        "residuals), so that the sums of a deep network keep their size"
    ),
    "norm bias": "0.1 * u",
    "running_mean": "0.1 * u",
    "running_var": "1 + 0.1 * u",
    "u": "u of the tensor's state_dict key",
}


def closes(key, last):
    """Whether a norm closes a residual branch; `last` names it in networks that have layers."""
    if key.startswith("features."):
        return ".block.2.1." in key or ".block.3.1." in key
    return key.startswith("layer") and "downsample" not in key and f".{last}." in key


def fill(model, last, names=None):
    """Fills every tensor of the state from the generator; `last` names the last norm.

    `names` maps the state's keys to those that the generator is asked for.
    """
    for key, value in model.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        known = names[key] if names else key
        noise = u(known, tuple(value.shape))
        name = known.rsplit(".", 1)[-1]
        if value.dim() == 4:
            filled = noise * math.sqrt(6.0 / math.prod(value.shape[1:]))
        elif value.dim() == 2:
            filled = noise * math.sqrt(3.0 / value.shape[1])
        elif name in ("bias", "running_mean"):
            filled = 0.1 * noise
        elif name == "running_var":
            filled = 1.0 + 0.1 * noise
        elif name == "weight":
            filled = (0.2 if closes(known, last) else 1.0) + 0.1 * noise
        else:
            raise ValueError(key)
        value.copy_(tensor(filled, value.dtype))
