"""EfficientNets of torchvision and timm: counts, keys, stages, gradients and running statistics."""

import timm
import torchvision

from filling import FILL
from network_runs import CLASSES, LABELS, NOTE, checksum, eval_run, shapes, train_run
from resnets import count, keys

WATCHED = [
    "features.0.0.weight",
    "features.3.1.block.1.0.weight",
    "features.5.0.block.2.fc1.bias",
    "features.6.0.block.3.0.weight",
    "classifier.1.weight",
]
NORMS = ["features.0.1", "features.2.0.block.1.1"]
SIZE = 96


def vision(size, classes=CLASSES):
    """torchvision's network without dropout and stochastic depth."""
    make = getattr(torchvision.models, f"efficientnet_{size}")
    return make(weights=None, num_classes=classes, dropout=0.0, stochastic_depth_prob=0.0)


def vision_stages(model):
    """The nine parts."""
    return {f"features.{i}": part for i, part in enumerate(model.features)}


def timm_stages(model):
    """The same parts in timm's network."""
    blocks = {f"features.{i + 1}": stage for i, stage in enumerate(model.blocks)}
    return {"features.0": model.bn1, **blocks, "features.8": model.bn2}


def names(theirs, size):
    """timm's keys with torchvision's, which stand in the same order."""
    ours = [key for key in vision(size).state_dict() if not key.endswith("num_batches_tracked")]
    state = {k: v for k, v in theirs.state_dict().items() if not k.endswith("num_batches_tracked")}
    shapes_agree = [
        tuple(value.shape) == tuple(vision_value.shape)
        for value, vision_value in zip(
            state.values(), (vision(size).state_dict()[key] for key in ours), strict=True
        )
    ]
    assert all(shapes_agree), size
    return dict(zip(state, ours, strict=True))


def torchvision_entry(size, gradients):
    """One network of torchvision."""
    spec = {"type": f"efficientnet_{size}", "dropout": 0.0, "stochastic_depth": 0.0}
    found = {"spec": spec, **shapes(vision(size), full=size == "b0")}
    found["parameters"]["1000"] = count(vision(size, 1000))
    if size in ("b0", "b3", "b5"):
        found["eval"] = eval_run(vision(size), None, vision_stages, 64)
    if gradients:
        found["train"] = train_run(vision(size), None, WATCHED, NORMS, SIZE)
    return found


def timm_entry(name, constants, gradients):
    """One network of timm, in torchvision's names."""
    size = name[-2:]

    def make():
        # timm leaves PyTorch's momentum of 0.1 in them; the authors' is 0.99 the other way round.
        momentum = {"bn_momentum": 0.01} if constants == "tensorflow" else {}
        return timm.create_model(name, num_classes=CLASSES, **momentum)

    known = names(make(), size)
    spec = {
        "type": f"efficientnet_{size}",
        "constants": constants,
        "dropout": 0.0,
        "stochastic_depth": 0.0,
    }
    found = {"spec": spec, **shapes(make(), known)}
    found["timm_key_checksum"] = checksum(keys(make()))
    found["eval"] = eval_run(make(), None, timm_stages, 64, known)
    if gradients:
        found["train"] = train_run(make(), None, WATCHED, NORMS, SIZE, known)
    return found


def fixture():
    """Every network, and timm's keys of one."""
    networks = {}
    for number in range(8):
        networks[f"efficientnet_b{number}"] = torchvision_entry(f"b{number}", number == 0)
    networks["timm_efficientnet_b0"] = timm_entry("efficientnet_b0", "timm", True)
    networks["timm_efficientnet_b3"] = timm_entry("efficientnet_b3", "timm", False)
    networks["tf_efficientnet_b0"] = timm_entry("tf_efficientnet_b0", "tensorflow", True)
    networks["tf_efficientnet_b3"] = timm_entry("tf_efficientnet_b3", "tensorflow", False)
    timm_names = names(timm.create_model("efficientnet_b0", num_classes=CLASSES), "b0")
    return {"note": NOTE, "fill": FILL, **LABELS, "timm_names": timm_names, "networks": networks}
