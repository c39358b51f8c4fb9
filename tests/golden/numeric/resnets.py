"""Residual networks: counts, keys, stage outputs, gradients and running statistics."""

import torch
import torch.nn.functional as F
import torchvision

from cifar_resnet import CifarResNet20
from filling import FILL, fill
from generator import DTYPES, tensor, u
from writing import flat, head

CLASSES = 10


def keys(model):
    """The state's keys and shapes, without the batch counters."""
    return [
        {"key": key, "shape": list(value.shape)}
        for key, value in model.state_dict().items()
        if not key.endswith("num_batches_tracked")
    ]


def count(model):
    """The number of parameters."""
    return sum(p.numel() for p in model.parameters())


def summary(values):
    """Shape, first values and moments of a stage's output."""
    wide = values.detach().double()
    return {
        "shape": list(values.shape),
        "first": head(values),
        "mean": wide.mean().item(),
        "mean_square": wide.square().mean().item(),
    }


def eval_run(make, last, stem, size, dtype):
    """Logits and stage outputs in eval mode; `stem` names the module that ends the stem."""
    model = make(CLASSES).to(dtype)
    with torch.no_grad():
        fill(model, last)
    model.eval()
    seen = {}

    def hook(name):
        def record(_module, _inputs, output):
            seen[name] = summary(output)

        return record

    for name, module in model.named_children():
        if name == stem or name.startswith("layer"):
            module.register_forward_hook(hook("stem" if name == stem else name))
    with torch.no_grad():
        logits = model(tensor(u("input", (2, 3, size, size)), dtype))
    if stem is None:
        # The first stage's input is the stem's output.
        first = make(CLASSES).to(dtype)
        with torch.no_grad():
            fill(first, last)
            first.eval()
            x = tensor(u("input", (2, 3, size, size)), dtype)
            seen = {"stem": summary(F.relu(first.bn1(first.conv1(x)))), **seen}
    return {"logits": flat(logits), "stages": seen}


def train_run(make, last, watched, norms, dtype):
    """Loss, gradients and running statistics of one pass in train mode."""
    model = make(CLASSES).to(dtype)
    with torch.no_grad():
        fill(model, last)
    model.train()
    logits = model(tensor(u("train_input", (4, 3, 32, 32)), dtype))
    loss = F.cross_entropy(logits, torch.tensor([0, 3, 6, 9]), label_smoothing=0.1)
    loss.backward()
    params, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    return {
        "loss": flat(loss)[0],
        "logits": flat(logits),
        "grads": {
            name: {
                "norm": params[name].grad.double().norm().item(),
                "first": head(params[name].grad),
            }
            for name in watched
        },
        "running": {
            f"{norm}.{kind}": head(buffers[f"{norm}.{kind}"])
            for norm in norms
            for kind in ("running_mean", "running_var")
        },
    }


def torchvision_networks():
    """The networks of torchvision, by name."""
    out = {}
    for name, last in (
        ("resnet18", "bn2"),
        ("resnet34", "bn2"),
        ("resnet50", "bn3"),
        ("resnet101", "bn3"),
    ):

        def make(classes, name=name):
            return getattr(torchvision.models, name)(weights=None, num_classes=classes)

        entry = {"parameters": {"1000": count(make(1000)), "10": count(make(10))}}
        if name in ("resnet18", "resnet50"):
            entry["keys"] = keys(make(CLASSES))
        entry["eval"] = {
            "input_shape": [2, 3, 64, 64],
            **{k: eval_run(make, last, "maxpool", 64, dtype) for k, dtype in DTYPES.items()},
        }
        if name in ("resnet18", "resnet50"):
            deep = "layer4.1.bn2" if name == "resnet18" else "layer4.2.bn3"
            watched = [
                "conv1.weight",
                "layer1.0.conv1.weight",
                f"{deep}.weight",
                "fc.weight",
                "fc.bias",
            ]
            entry["train"] = {
                "input_shape": [4, 3, 32, 32],
                **{
                    k: train_run(make, last, watched, ["bn1", deep], dtype)
                    for k, dtype in DTYPES.items()
                },
            }
        out[name] = entry
    return out


def resnet20():
    """The network for 32 px pictures."""
    assert count(CifarResNet20(10)) == 269_722
    watched = [
        "conv1.weight",
        "layer1.0.conv1.weight",
        "layer2.0.conv1.weight",
        "layer3.2.bn2.weight",
        "fc.weight",
        "fc.bias",
    ]
    return {
        "parameters": {"10": count(CifarResNet20(10)), "100": count(CifarResNet20(100))},
        "keys": keys(CifarResNet20(CLASSES)),
        "eval": {
            "input_shape": [2, 3, 32, 32],
            **{k: eval_run(CifarResNet20, "bn2", None, 32, d) for k, d in DTYPES.items()},
        },
        "train": {
            "input_shape": [4, 3, 32, 32],
            **{
                k: train_run(CifarResNet20, "bn2", watched, ["bn1", "layer3.2.bn2"], d)
                for k, d in DTYPES.items()
            },
        },
    }


def fixture():
    """Every network in both precisions."""
    return {
        "note": (
            "torchvision networks with 10 classes (resnet20: the 32 px design with option A "
            "shortcuts); eval runs on u(input), stem is the output that enters layer1; train runs "
            "one forward and backward on u(train_input) with the labels and smoothing below; norms "
            "and means are taken in float64; first is the first 8 values in row-major order; "
            "running is after that one forward; f64 is the same run in float64 on the same "
            "float32-rounded inputs"
        ),
        "fill": FILL,
        "train_labels": [0, 3, 6, 9],
        "train_label_smoothing": 0.1,
        "networks": {**torchvision_networks(), "resnet20": resnet20()},
    }
