"""What the fixtures of further networks hold: counts, keys, and runs in both modes, in float64."""

import torch
import torch.nn.functional as F

from filling import fill
from generator import fnv1a64, tensor, u
from resnets import count, keys, summary
from writing import flat, head

CLASSES = 10
DTYPE = torch.float64


def checksum(rows):
    """FNV-1a of the rows `key shape`, sorted, each ended by a line feed; the shape as `[2, 3]`."""
    lines = sorted(f"{row['key']} {row['shape']}\n" for row in rows)
    return f"0x{fnv1a64(''.join(lines)):016x}"


def renamed(rows, names):
    """Keys as the generator is asked for them."""
    return [{**row, "key": names[row["key"]]} for row in rows] if names else rows


def shapes(model, names=None, full=False):
    """Parameter count and the state's keys: all of them, or their number and checksum."""
    rows = renamed(keys(model), names)
    found = {"parameters": {str(CLASSES): count(model)}}
    if full:
        return {**found, "keys": rows}
    return {**found, "key_count": len(rows), "key_checksum": checksum(rows)}


def eval_run(model, last, stages, size, names=None):
    """Logits and stage outputs in eval mode; `stages` maps our names to modules."""
    model = model.to(DTYPE)
    with torch.no_grad():
        fill(model, last, names)
    model.eval()
    seen = {}

    def hook(name):
        def record(_module, _inputs, output):
            seen[name] = summary(output)

        return record

    for name, module in stages(model).items():
        module.register_forward_hook(hook(name))
    with torch.no_grad():
        logits = model(tensor(u("input", (2, 3, size, size)), DTYPE))
    order = {name: seen[name] for name in stages(model)}
    run = {"logits": flat(logits), "stages": order}
    return {"input_shape": [2, 3, size, size], "f64": run}


def train_run(model, last, watched, norms, size, names=None, source="train_input"):
    """Loss, gradients and running statistics of one pass in train mode on `u(source)`."""
    model = model.to(DTYPE)
    with torch.no_grad():
        fill(model, last, names)
    model.train()
    logits = model(tensor(u(source, (4, 3, size, size)), DTYPE))
    loss = F.cross_entropy(logits, torch.tensor([0, 3, 6, 9]), label_smoothing=0.1)
    loss.backward()
    named = {(names[key] if names else key): p for key, p in model.named_parameters()}
    buffers = {(names[key] if names and key in names else key): b for key, b in model.named_buffers()}
    run = {
        "loss": flat(loss)[0],
        "logits": flat(logits),
        "grads": {
            name: {
                "norm": named[name].grad.norm().item(),
                "largest": named[name].grad.abs().max().item(),
                "first": head(named[name].grad),
            }
            for name in watched
        },
        "running": {
            f"{norm}.{kind}": head(buffers[f"{norm}.{kind}"])
            for norm in norms
            for kind in ("running_mean", "running_var")
        },
    }
    return {"input": source, "input_shape": [4, 3, size, size], "f64": run}


NOTE = (
    "networks with 10 classes in float64 on float32-rounded inputs; eval runs on u(input), train is one "
    "forward and backward on u of its input with the labels and smoothing below; spec is our model table; "
    "keys are the state's without batch counters, or key_count and key_checksum are their number and the "
    "FNV-1a of the sorted lines `key shape`; first is the first 8 values in row-major order"
)
LABELS = {"train_labels": [0, 3, 6, 9], "train_label_smoothing": 0.1}
