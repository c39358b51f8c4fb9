"""Rates of the layers: timm's param_groups_layer_decay."""

import timm
from timm.optim import param_groups_layer_decay

from efficientnets import names

DECAY = 0.75


def scales(model, known):
    """The scale of every parameter, by its name in torchvision."""
    by_id = {id(param): known.get(name, name) for name, param in model.named_parameters()}
    groups = param_groups_layer_decay(model, layer_decay=DECAY)
    found = {by_id[id(param)]: group["lr_scale"] for group in groups for param in group["params"]}
    return {name: found[name] for name in sorted(found)}


def fixture():
    """Two ResNets and an EfficientNet with ten classes."""
    networks = {}
    for name in ("resnet18", "resnet50", "efficientnet_b0"):
        model = timm.create_model(name, num_classes=10)
        known = names(model, "b0") if name.startswith("efficientnet") else {}
        networks[name] = scales(model, known)
    return {"note": f"lr_scale of every parameter at layer_decay {DECAY}", "networks": networks}
