"""Relatives of the residual networks: wider, deeper, grouped, and timm's variations."""

import timm
import torchvision

from cifar_resnet import CifarResNet
from filling import FILL
from network_runs import CLASSES, LABELS, NOTE, eval_run, shapes, train_run

# A ReLU whose input rounds to the other side of zero changes single gradients by up to a hundredth, in PyTorch's own
# float32 as well. Of eight numbered inputs these meet the fewest of such places.
RESNEXT50, RESNET50D, RESNETBLUR50, SERESNET50 = (f"train_input {k}" for k in (6, 7, 2, 7))

# The name there, our model table, the input of the pass whose gradients are compared.
TORCHVISION = (("resnet152", None), ("wide_resnet50_2", None), ("resnext50_32x4d", RESNEXT50))
TIMM = (
    ("resnet50d", {"deep_stem": True, "avg_down": True}, RESNET50D),
    ("resnetblur50", {"blur_pool": True}, RESNETBLUR50),
    ("seresnet50", {"squeeze_excite": True}, SERESNET50),
)
# Of the training pictures.
SIZE = 64


def stages(model):
    """The maps after the stem and each layer."""
    layers = {name: getattr(model, name) for name in ("layer1", "layer2", "layer3", "layer4")}
    return {"stem": model.maxpool, **layers}


def watched(first):
    """Parameters whose gradients are compared."""
    return [first, "layer2.0.conv2.weight", "layer4.2.bn3.weight", "fc.weight"]


def entry(make, spec, source, full=False):
    """One network's shapes and runs."""
    found = {"spec": spec, **shapes(make(), full=full)}
    found["eval"] = eval_run(make(), "bn3", stages, 64)
    if source:
        first = "conv1.0.weight" if spec.get("deep_stem") else "conv1.weight"
        names = watched(first)
        if spec.get("squeeze_excite"):
            names.append("layer3.1.se.fc1.bias")
        if spec.get("avg_down"):
            names.append("layer3.0.downsample.1.weight")
        found["train"] = train_run(make(), "bn3", names, ["bn1", "layer4.2.bn3"], SIZE, source=source)
    return found


def cifar(blocks):
    """A network for 32 px pictures."""

    def layers(model):
        return {name: getattr(model, name) for name in ("layer1", "layer2", "layer3")}

    spec = {"type": f"resnet{6 * blocks + 2}"}
    make = lambda: CifarResNet(CLASSES, blocks)  # noqa: E731
    return {"spec": spec, **shapes(make()), "eval": eval_run(make(), "bn2", layers, 32)}


def fixture():
    """Every network."""
    networks = {}
    for name, source in TORCHVISION:
        make = lambda name=name: torchvision.models.get_model(  # noqa: E731
            name, weights=None, num_classes=CLASSES
        )
        networks[name] = entry(make, {"type": name}, source)
    for name, settings, source in TIMM:
        make = lambda name=name: timm.create_model(name, num_classes=CLASSES)  # noqa: E731
        spec = {"type": "resnet50", **settings}
        networks[name] = entry(make, spec, source, full=name != "resnetblur50")
    for blocks in (5, 7, 9):
        networks[f"resnet{6 * blocks + 2}"] = cifar(blocks)
    return {"note": NOTE, "fill": FILL, **LABELS, "networks": networks}
