"""Writes small files of weights in the ways that PyTorch users save them, and two that attack."""

import json
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent


def values(count, shape):
    """Numbers that are exact in all of float16, bfloat16 and float32."""
    return (torch.arange(count, dtype=torch.float32) % 64 - 32).div(16).reshape(shape).clone()


class Attack:
    """Asks for a shell when it is unpickled."""

    def __reduce__(self):
        import os

        return os.system, ("touch executed",)


def main():
    """Every file beside this script."""
    state = OrderedDict(
        {
            "conv1.weight": values(36, (4, 1, 3, 3)),
            "bn1.running_mean": values(4, (4,)),
            "bn1.num_batches_tracked": torch.tensor(7),
            # A view that is not contiguous, with an offset into a larger storage.
            "fc.weight": values(24, (6, 4))[1:4].t(),
            "fc.bias": values(4, (4,)),
        }
    )
    floats = {k: v for k, v in state.items() if v.is_floating_point()}
    torch.save(state, HERE / "zip.pth")
    torch.save(state, HERE / "legacy.pth", _use_new_zipfile_serialization=False)
    wrapped = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}
    torch.save({**wrapped, "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}}}, HERE / "wrapped.pth")
    save_file({f"module.{k}": v.contiguous() for k, v in state.items()}, HERE / "module.safetensors")
    torch.save({k: v.half() for k, v in floats.items()}, HERE / "f16.pth")
    torch.save({k: v.bfloat16() for k, v in floats.items()}, HERE / "bf16.pth")
    (HERE / "evil.pth").write_bytes(pickle.dumps(Attack(), protocol=2))
    with zipfile.ZipFile(HERE / "evil_zip.pth", "w") as archive:
        archive.writestr("evil/data.pkl", pickle.dumps(Attack(), protocol=2))
        archive.writestr("evil/version", "3\n")
    expected = {
        name: [list(value.shape), np.ravel(value.numpy()).view(np.uint32).tolist()]
        for name, value in ((k, v.contiguous()) for k, v in floats.items())
    }
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
