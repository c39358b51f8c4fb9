"""The rule that fills a network's parameters and buffers from the generator."""

import math

from generator import tensor, u

FILL = {
    "precision": "computed in float64 as written, left to right, then rounded to float32",
    "conv weight": "u * sqrt(6 / fan_in), fan_in = in_channels * kernel_h * kernel_w",
    "fc.weight": "u * sqrt(3 / fan_in), fan_in = in_features",
    "fc.bias": "0.1 * u",
    "norm weight": "1 + 0.1 * u",
    "last norm weight of a residual branch": (
        "0.2 + 0.1 * u (bn2 of basic blocks, bn3 of bottlenecks), "
        "so that the sums of a deep network keep their size"
    ),
    "norm bias": "0.1 * u",
    "running_mean": "0.1 * u",
    "running_var": "1 + 0.1 * u",
    "u": "u of the tensor's state_dict key",
}


def fill(model, last):
    """Fills every tensor of the state from the generator; `last` names the last norm."""
    for key, value in model.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        noise = u(key, tuple(value.shape))
        name = key.rsplit(".", 1)[-1]
        if value.dim() == 4:
            filled = noise * math.sqrt(6.0 / math.prod(value.shape[1:]))
        elif key == "fc.weight":
            filled = noise * math.sqrt(3.0 / value.shape[1])
        elif key == "fc.bias" or name in ("bias", "running_mean"):
            filled = 0.1 * noise
        elif name == "running_var":
            filled = 1.0 + 0.1 * noise
        elif name == "weight":
            in_block = key.startswith("layer") and "downsample" not in key
            filled = (0.2 if in_block and f".{last}." in key else 1.0) + 0.1 * noise
        else:
            raise ValueError(key)
        value.copy_(tensor(filled, value.dtype))
