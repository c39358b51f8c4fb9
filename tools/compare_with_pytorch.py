"""Kiln against PyTorch on the same weights and pictures.

Builds models of torchvision and timm with random weights, saves them in the ways people save
them, and compares `kiln predict --logits` with PyTorch's own preprocessing and forward pass on
20 pictures of a folder: every logit within 1e-3, and always the same first class. The comparison
is made twice: with the pictures as they are, and with the pixels that PyTorch's preprocessing
makes of them, saved as PNG, so that it shows what decoding and resizing contribute. Then converts
each file with `kiln weights convert` and loads the result back with `strict=True`: every tensor
has the same bits.

Needs torch, torchvision, timm and safetensors. Exits with 1 on a miss.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision.transforms import functional
from torchvision.transforms.functional import InterpolationMode

PICTURES = 20
MOST_APART = 1e-3
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# Library, its name, our name, how it is saved, options of `kiln predict` beyond our preset.
CASES = (
    ("torchvision", "resnet18", "resnet18", "pth", ()),
    ("torchvision", "resnet50", "resnet50", "safetensors", ()),
    ("torchvision", "efficientnet_b0", "efficientnet_b0", "wrapped", ()),
    ("torchvision", "efficientnet_b3", "efficientnet_b3", "pth", ()),
    ("timm", "resnet18", "resnet18", "pth", ()),
    ("timm", "resnet50", "resnet50", "half", ()),
    ("timm", "efficientnet_b0", "efficientnet_b0", "pth", ("constants=timm",)),
    ("timm", "efficientnet_b3", "efficientnet_b3", "safetensors", ("constants=timm",)),
    ("timm", "tf_efficientnet_b0", "efficientnet_b0", "pth", ("constants=tensorflow",)),
)
# Crop, shorter side before it, filter: torchvision's presets.
INPUTS = {
    "resnet18": (224, 256, "bilinear"),
    "resnet50": (224, 256, "bilinear"),
    "efficientnet_b0": (224, 256, "bicubic"),
    "efficientnet_b3": (300, 320, "bicubic"),
}


def build(library, name, classes):
    """The library's model with the random weights it begins with."""
    if library == "torchvision":
        return torchvision.models.get_model(name, weights=None, num_classes=classes)
    return timm.create_model(name, pretrained=False, num_classes=classes)


def cropped(photo, name):
    """The pixels that torchvision's evaluation transforms make of a picture."""
    crop, side, interpolation = INPUTS[name]
    picture = Image.open(photo).convert("RGB")
    picture = functional.resize(picture, side, InterpolationMode(interpolation), antialias=True)
    return functional.center_crop(picture, crop)


def prepared(photo, name):
    """The network's input."""
    return functional.normalize(functional.to_tensor(cropped(photo, name)), MEAN, STD)


def calibrate(model, batch):
    """Gives batch norm the statistics of a batch, and the logits a spread of about one.

    With the statistics that a model begins with, activations shrink or grow from layer to layer
    until all pictures look alike; a trained model has neither.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    model.train()
    with torch.no_grad():
        model(batch)
        model.eval()
        logits = model(batch)
        last = [m for m in model.modules() if isinstance(m, torch.nn.Linear)][-1]
        last.weight /= logits.std()
        last.bias.zero_()
    return model


def save(model, path, how):
    """Saves the state in one of the ways that files come in; returns the file."""
    state = model.state_dict()
    if how == "safetensors":
        path = path.with_suffix(".safetensors")
        save_file(state, path)
        return path
    path = path.with_suffix(".pth")
    if how == "wrapped":
        state = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}
    elif how == "half":
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
        model.load_state_dict({k: v.float() for k, v in state.items()})
    torch.save(state, path)
    return path


def kiln(program, *arguments):
    """What the program prints."""
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit code {done.returncode}\n{done.stderr}")
    return done.stdout


def model_options(name, settings):
    """Options that name the model."""
    options = ["--model", name]
    for setting in settings:
        options += ["--model-set", setting]
    return options


def compare_logits(program, model, file, name, settings, photos, folder):
    """Largest distances of a logit, from photos and from pixels; the largest logit; equal classes."""
    with torch.inference_mode():
        theirs = [model(prepared(photo, name)[None])[0] for photo in photos]
    pixels = []
    for number, photo in enumerate(photos):
        pixels.append(folder / f"{number}.png")
        cropped(photo, name).save(pixels[-1])

    def distances(files, options):
        printed = kiln(program, "predict", "--weights", file, *options, "--logits", "--json", *files)
        rows = json.loads(printed)
        assert [row["path"] for row in rows] == [str(path) for path in files]
        ours = [torch.tensor(row["logits"]) for row in rows]
        apart = max((a - b).abs().max().item() for a, b in zip(ours, theirs, strict=True))
        return apart, sum(int(a.argmax() == b.argmax()) for a, b in zip(ours, theirs, strict=True))

    options = model_options(name, settings)
    from_photos, first = distances(photos, options)
    from_pixels, same = distances(pixels, [*options, "--crop-ratio", "1"])
    assert same == len(photos), "the same pixels give another class"
    return from_photos, from_pixels, max(b.abs().max().item() for b in theirs), first


def comes_back(program, model, library, file, name, settings, folder):
    """Whether the converted file loads strictly and has the same bits."""
    output = folder / "back.safetensors"
    options = [*model_options(name, settings), "--to-layout", library]
    kiln(program, "weights", "convert", file, output, *options)
    state = model.state_dict()
    back = load_file(output)
    model.load_state_dict(back, strict=True)
    # Kiln does not count batches.
    counted = "num_batches_tracked"
    return all(torch.equal(back[k], v) for k, v in state.items() if not k.endswith(counted))


def main():
    """One row for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kiln", required=True, help="the program")
    parser.add_argument("--photos", required=True, type=Path, help="a folder of pictures")
    parser.add_argument("--classes", type=int, default=10)
    arguments = parser.parse_args()

    torch.manual_seed(1)
    everything = sorted(p for p in arguments.photos.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    photos = everything[:: max(len(everything) // PICTURES, 1)][:PICTURES]
    if len(photos) < PICTURES:
        sys.exit(f"{arguments.photos}: {len(photos)} pictures, {PICTURES} are needed")
    missed = False
    print("| library | model | saved as | apart, photos | apart, same pixels | largest logit | same class | same bits back |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for library, theirs, name, how, settings in CASES:
            model = build(library, theirs, arguments.classes)
            batch = torch.stack([prepared(photo, name) for photo in photos])
            calibrate(model, batch)
            file = save(model, folder / f"{library}-{theirs}", how)
            apart, pixels, largest, first = compare_logits(
                arguments.kiln, model, file, name, settings, photos, folder
            )
            back = comes_back(arguments.kiln, model, library, file, name, settings, folder)
            missed |= max(apart, pixels) > MOST_APART or first != len(photos) or not back
            print(
                f"| {library} | {theirs} | {how} | {apart:.1e} | {pixels:.1e} | {largest:.2f} "
                f"| {first}/{len(photos)} | {'yes' if back else 'NO'} |",
                flush=True,
            )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
