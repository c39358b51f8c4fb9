"""Averages of weights: timm's ModelEmaV3, torch's AveragedModel, and the statistics of torch's update_bn."""

import torch
from timm.utils import ModelEmaV3
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_swa_avg_fn, update_bn

from cifar_resnet import CifarResNet20
from filling import fill
from generator import tensor, u
from writing import flat, head

STEPS = 20
SHAPE = (4,)


class Net(nn.Module):
    """One parameter and one buffer."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(SHAPE))
        self.register_buffer("b", torch.zeros(SHAPE))

    def move(self, step):
        """The values after step `step`, from 1."""
        with torch.no_grad():
            self.w.copy_(tensor(u(f"w.{step}", SHAPE), torch.float32))
            self.b.copy_(tensor(u(f"b.{step}", SHAPE), torch.float32))


def ema(decay, warmup):
    """The average after each step, as timm's training script updates it."""
    net = Net()
    average = ModelEmaV3(net, decay=decay, use_warmup=warmup)
    trace = {"w": [], "b": []}
    for step in range(1, STEPS + 1):
        net.move(step)
        average.update(net, step=step)
        trace["w"].append(flat(average.module.w))
        trace["b"].append(flat(average.module.b))
    return trace


def swa():
    """The mean of every second step's weights from step 10 on."""
    net = Net()
    average = AveragedModel(net, avg_fn=get_swa_avg_fn(), use_buffers=True)
    trace = {"w": [], "b": []}
    for step in range(1, STEPS + 1):
        net.move(step)
        if step > 10 and step % 2 == 0:
            average.update_parameters(net)
            trace["w"].append(flat(average.module.w))
            trace["b"].append(flat(average.module.b))
    return trace


def statistics():
    """Running statistics of the network for 32 px pictures after a pass over three batches."""
    model = CifarResNet20(10).to(torch.float64)
    with torch.no_grad():
        fill(model, "bn2")
    update_bn([tensor(u(f"batch.{i}", (4, 3, 32, 32)), torch.float64) for i in range(3)], model)
    norms = ("bn1", "layer1.0.bn1", "layer2.0.bn2", "layer3.2.bn2")
    buffers = dict(model.named_buffers())
    kinds = ("running_mean", "running_var")
    return {f"{norm}.{kind}": head(buffers[f"{norm}.{kind}"]) for norm in norms for kind in kinds}


def fixture():
    """Every average."""
    cases = [
        {"spec": {"type": "ema", "decay": decay, "warmup": warmup}, **ema(decay, warmup)}
        for decay, warmup in ((0.9, False), (0.75, True), (0.3, False))
    ]
    spec = {"type": "swa", "start": {"steps": 10}, "every": {"steps": 2}}
    cases.append({"spec": spec, **swa()})
    return {
        "note": (
            f"averages after each of {STEPS} steps, or where there is an update; after step t, from "
            "1, parameter and buffer NAME are u(NAME.t); statistics: first 8 values of resnet20's, "
            "filled as in resnets.json, after update_bn on u(batch.0) to u(batch.2) of 4 x 3 x 32 x 32"
        ),
        "steps": STEPS,
        "cases": cases,
        "statistics": statistics(),
    }
