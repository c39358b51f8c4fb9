"""Writes the table of weights that `kiln weights fetch` knows: torchvision's and timm's.

Addresses, sizes, filters and checksums are those of the installed torchvision and timm. The first
digits of the SHA-256 stand in the files' names.
"""

import json
import re
from pathlib import Path

import timm
import torchvision

OUTPUT = Path(__file__).resolve().parent.parent / "crates/cli/src/fetch/pretrained.json"
TORCHVISION = (
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    "wide_resnet50_2",
    "resnext50_32x4d",
    *(f"efficientnet_b{size}" for size in range(8)),
)
# timm's architecture, our name, our settings.
TIMM = (
    *((f"resnet{depth}", f"resnet{depth}", {}) for depth in (18, 34, 50, 101, 152)),
    ("wide_resnet50_2", "wide_resnet50_2", {}),
    ("resnext50_32x4d", "resnext50_32x4d", {}),
    *((f"resnet{d}d", f"resnet{d}", {"deep_stem": True, "avg_down": True}) for d in (18, 34, 50, 101, 152)),
    ("resnetblur50", "resnet50", {"blur_pool": True}),
    ("seresnet50", "resnet50", {"squeeze_excite": True}),
    *((f"efficientnet_b{n}", f"efficientnet_b{n}", {"constants": "timm"}) for n in range(8)),
    *((f"tf_efficientnet_b{n}", f"efficientnet_b{n}", {"constants": "tensorflow"}) for n in range(8)),
)
FILTERS = ("bilinear", "bicubic")


def row(name, url, layout, model, settings, size, short, interpolation, mean, std, classes):
    """One entry, or nothing for a file whose name has no checksum."""
    file = url.rsplit("/", 1)[-1]
    checksum = re.search(r"-([0-9a-f]{8,64})\.(pth|pt|safetensors)$", file)
    if checksum is None or interpolation not in FILTERS:
        return None
    return {
        "name": name,
        "url": url,
        "sha256": checksum[1],
        "layout": layout,
        "model": {"type": model, **settings},
        "size": size,
        "crop_ratio": size / short,
        "interpolation": interpolation,
        "mean": list(mean),
        "std": list(std),
        "classes": classes,
    }


def torchvision_rows():
    """Every set of weights of torchvision's networks."""
    for name in TORCHVISION:
        for weights in torchvision.models.get_model_weights(name):
            preset = weights.transforms()
            tag = weights.name.lower()
            yield row(
                f"{name}.{tag}",
                weights.url,
                "torchvision",
                name,
                {},
                preset.crop_size[0],
                preset.resize_size[0],
                preset.interpolation.value,
                preset.mean,
                preset.std,
                len(weights.meta["categories"]),
            )


def timm_rows():
    """Every set of weights of timm's networks that lies at a public address of its own."""
    for architecture, name, settings in TIMM:
        for full in timm.list_models(f"{architecture}.*", pretrained=True):
            if full.split(".")[0] != architecture:
                continue
            config = timm.get_pretrained_cfg(full)
            if not config.url or config.num_classes != 1000:
                continue
            size = config.input_size[1]
            short = int(size / config.crop_pct)
            yield row(
                full,
                config.url,
                "timm",
                name,
                settings,
                size,
                short,
                config.interpolation,
                config.mean,
                config.std,
                config.num_classes,
            )


def main():
    """Writes both, in the order of their names."""
    rows = [entry for entry in (*torchvision_rows(), *timm_rows()) if entry is not None]
    rows.sort(key=lambda entry: entry["name"])
    assert len({entry["name"] for entry in rows}) == len(rows)
    lines = ",\n".join(json.dumps(entry) for entry in rows)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{OUTPUT}: {len(rows)}")


if __name__ == "__main__":
    main()
