"""The comparison of two fixtures that `--check` makes, and its tolerances."""

# Relative tolerance of --check and the magnitude below which it becomes absolute. The
# kernels PyTorch picks depend on the processor, and that reaches the last digits.
TOLERANCE = {"schedules": (1e-12, 0.0), "resnets": (1e-3, 1e-2)}
TOLERANCE |= {"resnet_variants": (1e-3, 1e-2), "efficientnets": (1e-3, 1e-2)}
DEFAULT_TOLERANCE = (1e-5, 1e-2)


def compare(old, new, where, tolerance, report):
    """Compares two fixtures: structure, text and integers exactly, floats within tolerance."""
    if isinstance(old, float) and isinstance(new, float):
        relative, floor = tolerance
        if abs(old - new) > relative * max(abs(old), abs(new), floor):
            report.append(f"{where}: {old!r} became {new!r}")
    elif isinstance(old, dict) and isinstance(new, dict):
        if list(old) != list(new):
            report.append(f"{where}: other keys")
        for key in [key for key in old if key in new]:
            compare(old[key], new[key], f"{where}.{key}", tolerance, report)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            compare(a, b, f"{where}[{index}]", tolerance, report)
    elif old != new:
        report.append(f"{where}: {old!r} became {new!r}")
