"""Class activation maps of the package grad-cam, and what removing their pixels does to a class."""

import contextlib
import io

import numpy as np
import torch
import torchvision
from pytorch_grad_cam import (
    AblationCAM,
    EigenCAM,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    XGradCAM,
)
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection_with_sign_correction

from cifar_resnet import CifarResNet20
from filling import FILL, fill
from generator import tensor, u
from writing import flat

PACKAGES = ("torchvision", "grad-cam", "opencv-python-headless")
CLASSES = 10
DTYPE = torch.float64
METHODS = {
    "gradcam": GradCAM,
    "gradcam++": GradCAMPlusPlus,
    "hirescam": HiResCAM,
    "xgradcam": XGradCAM,
    "layercam": LayerCAM,
    "eigencam": EigenCAM,
    "scorecam": ScoreCAM,
    "ablationcam": AblationCAM,
}
# A class that is no picture's likeliest, and whose maps have values of both signs.
OTHER = 1
# With more channels only the first weights are written.
MOST_WEIGHTS = 64
STEPS = 8
# Noise alone gives all pictures nearly the same logits, so it lies on coarse quarters.
PARTS = (
    {"name": "analysis.coarse", "size": 2, "times": 4.0},
    {"name": "analysis.fine", "size": None, "times": 2.0},
)


def parts(size):
    """The parts of pictures of `size` pixels."""
    return [{**part, "size": part["size"] or size} for part in PARTS]


def pictures(count, size):
    """The sum of the parts, each enlarged by repeating its pixels, rounded to float32."""
    total = np.zeros((count, 3, size, size))
    for part in parts(size):
        times = size // part["size"]
        values = u(part["name"], (count, 3, part["size"], part["size"]))
        total += part["times"] * values.repeat(times, axis=2).repeat(times, axis=3)
    return tensor(total, DTYPE)


def filled(model):
    """A network with filled weights, in eval mode."""
    model = model.to(DTYPE)
    with torch.no_grad():
        fill(model, "bn2")
    return model.eval()


def kept(call, seen, name):
    """The function `call`, whose last result is kept in `seen`."""

    def wrapper(*arguments):
        seen[name] = call(*arguments)
        return seen[name]

    return wrapper


def run(method, model, layer, x, classes):
    """What a method returns, and the weights, map and activations inside it."""
    seen = {}
    cam = METHODS[method](model, [getattr(model, layer)])
    cam.get_cam_weights = kept(cam.get_cam_weights, seen, "weights")
    cam.get_cam_image = kept(cam.get_cam_image, seen, "raw")
    # The package draws progress bars.
    with contextlib.redirect_stderr(io.StringIO()):
        seen["result"] = cam(x, [ClassifierOutputTarget(label) for label in classes])
    seen["activations"] = cam.activations_and_grads.activations[0].numpy()
    cam.activations_and_grads.release()
    return seen


def singles(values):
    """One flat list of float32 values for each picture."""
    return [flat(torch.from_numpy(np.float32(row))) for row in values]


def case(method, model, layer, x, classes):
    """The maps of all pictures by one method."""
    seen = run(method, model, layer, x, classes)
    assert seen["raw"].shape == (len(x), *seen["activations"].shape[2:])
    scaled = scale_cam_image(np.maximum(seen["raw"], 0))
    # Neither flat nor a single spot, and ablation by zero rather than by a large value.
    for image, activation in zip(scaled, seen["activations"], strict=True):
        assert image.max() > 0.99
        assert image.size == 4 or 0.02 < image.mean() < 0.8
        assert activation.min() == 0
    entry = {"method": method, "classes": classes}
    if "weights" in seen:
        entry["weights"] = singles(seen["weights"][:, :MOST_WEIGHTS])
    if method == "eigencam":
        corrected = get_2d_projection_with_sign_correction(seen["activations"])
        signs = [np.vdot(a, b) for a, b in zip(corrected, seen["raw"], strict=True)]
        entry["corrected_sign"] = [1 if sign > 0 else -1 for sign in signs]
    return {**entry, "raw": singles(seen["raw"]), "scaled": singles(scaled)}


def network(model, layers, count, size, others):
    """The logits and the maps of every method; `others` are cases of another class."""
    model = filled(model)
    x = pictures(count, size)
    with torch.no_grad():
        logits = model(x)
    classes = logits.argmax(dim=1).tolist()
    assert OTHER not in classes
    entry = {"input": parts(size), "input_shape": list(x.shape)}
    entry |= {"logits": flat(logits), "classes": classes, "layers": {}}
    for layer in layers:
        activations = run("eigencam", model, layer, x, classes)["activations"]
        cases = [case(method, model, layer, x, classes) for method in METHODS]
        cases += [
            case(method, model, layer, x, [OTHER] * count)
            for place, method in others
            if place == layer
        ]
        entry["layers"][layer] = {"shape": list(activations.shape), "cases": cases}
    return entry


def resized(layer):
    """The map of the first picture at the picture's size."""
    model, x = filled(CifarResNet20(CLASSES)), pictures(2, 32)
    with torch.no_grad():
        label = model(x).argmax(dim=1).tolist()[0]
    result = run("gradcam", model, layer, x[:1], [label])["result"]
    entry = {"network": "resnet20", "layer": layer, "method": "gradcam", "picture": 0}
    return {**entry, "class": label, "shape": list(result.shape[1:]), "map": singles(result)[0]}


def curves(found):
    """The class's probability while the pixels go, and while they come, in the map's order."""
    model, x = filled(CifarResNet20(CLASSES)), pictures(2, 32)[:1]
    order = np.argsort(-np.float32(found["map"]), kind="stable")
    each = len(order) // STEPS
    deletion, insertion = [], []
    for step in range(STEPS + 1):
        is_reached = torch.zeros(len(order), dtype=torch.bool)
        is_reached[order[: step * each]] = True
        is_reached = is_reached.reshape(found["shape"])
        for values, keeps in ((deletion, ~is_reached), (insertion, is_reached)):
            with torch.no_grad():
                logits = model(x * keeps)
            values.append(logits.softmax(dim=1)[0, found["class"]].item())
    out = {"steps": STEPS, "pixels_per_step": each}
    for name, values in (("deletion", deletion), ("insertion", insertion)):
        area = (sum(values) - (values[0] + values[-1]) / 2) / STEPS
        out[name] = {"probabilities": values, "area": area}
    return out


def fixture():
    """Maps of two networks, two of them at the picture's size, and the curves of one."""
    sizes = {layer: resized(layer) for layer in ("layer3", "layer2")}
    others = (("layer2", "gradcam"), ("layer3", "gradcam"), ("layer3", "ablationcam"))
    resnet18 = torchvision.models.resnet18(weights=None, num_classes=CLASSES)
    return {
        "note": (
            "networks with 10 classes in float64 and eval mode, filled as in resnets.json; a picture is "
            "the sum over `input` of times * u(name) of N x 3 x size x size, enlarged to the picture's "
            "size by repeating pixels, rounded to float32; maps belong to the output of the layer of that "
            "name and to the logit of the class, classes has one for each picture, the likeliest except in "
            f"the last cases; weights has the channels' weights ({MOST_WEIGHTS} at most); raw is the "
            "method's map as it is, scaled is max(raw, 0) less its minimum, then divided by its maximum + "
            "1e-7; the package rounds weights of scorecam and ablationcam, raw of eigencam, and scaled to "
            "float32; the sign of eigencam's raw is what LAPACK's singular vectors give, corrected_sign "
            "times it has its largest magnitude above zero; resized is what the package returns; curves: "
            "pixels in falling order of the map of resized[0], equal ones in row-major order, are set to 0 "
            "(deletion) or taken over into a picture of 0 (insertion) in equal steps; the probability of "
            "the class at the start and after each step; area is the mean by the trapezoid rule"
        ),
        "fill": FILL,
        "networks": {
            "resnet20": network(CifarResNet20(CLASSES), ("layer2", "layer3"), 2, 32, others),
            "resnet18": network(resnet18, ("layer4",), 1, 64, ()),
        },
        "resized": list(sizes.values()),
        "curves": curves(sizes["layer3"]),
    }
