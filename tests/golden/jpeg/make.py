"""Small JPEGs of every kind that the decoder meets, each beside the pixels that Pillow makes of it.

`NAME.jpg` is the file and `NAME.png` its pixels after `convert("RGB")`. Needs Pillow and numpy, whose
wheels bring libjpeg-turbo (pillow 13.0.0: 3.2), and `cjpeg`, for samplings that Pillow does not write.
"""

import io
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
rng = np.random.default_rng(5)


def picture(width, height):
    """Edges and noise over slopes of colour, so that every step of a decoder matters."""
    y, x = np.mgrid[:height, :width]
    slopes = np.stack([x * 255 // width, y * 255 // height, (x * 7 + y * 11) % 256], axis=2)
    slopes[(x + y) % 13 < 4] = (230, 20, 60)
    noise = rng.integers(-20, 21, slopes.shape)
    return Image.fromarray(np.clip(slopes + noise, 0, 255).astype(np.uint8))


def save(name, image, **options):
    """The file, and what it decodes to."""
    data = io.BytesIO()
    image.save(data, "JPEG", **options)
    keep(name, data.getvalue())
    return data.getvalue()


def keep(name, data):
    """Writes both files."""
    (HERE / f"{name}.jpg").write_bytes(data)
    decoded = Image.open(io.BytesIO(data)).convert("RGB")
    decoded.save(HERE / f"{name}.png", optimize=True)


def sampled(name, image, sampling):
    """With `sampling` such as 1x2: luma pixels across and down for each of chroma."""
    pixels = io.BytesIO()
    image.save(pixels, "PPM")
    command = ["cjpeg", "-quality", "80", "-sample", sampling]
    done = subprocess.run(command, input=pixels.getvalue(), capture_output=True, check=True)
    keep(name, done.stdout)


# Sides that end in the middle of a block, and of a pair of blocks.
save("4-4-4", picture(37, 29), quality=90, subsampling="4:4:4")
save("4-2-2", picture(41, 21), quality=85, subsampling="4:2:2")
save("4-2-0", picture(43, 35), quality=75, subsampling="4:2:0")
save("4-2-0-one-column", picture(1, 33), quality=75, subsampling="4:2:0")
save("low-quality", picture(50, 40), quality=5, subsampling="4:2:0")
save("progressive", picture(45, 39), quality=80, subsampling="4:2:0", progressive=True)
save("restarts", picture(64, 48), quality=80, subsampling="4:2:0", restart_marker_blocks=2)
save("gray", picture(35, 27).convert("L"), quality=80)
save("rgb", picture(33, 25), quality=90, keep_rgb=True)
sampled("4-4-0", picture(39, 31), "1x2")
sampled("4-1-1", picture(47, 23), "4x1")

# What cameras and broken disks leave: bytes between two markers, and damage in the middle.
whole = save("stray-bytes", picture(40, 24), quality=80)
keep("stray-bytes", whole[:-2] + b"\x00\x01" + whole[-2:])
whole = bytearray(save("damaged", picture(64, 64), quality=80))
whole[len(whole) // 2] ^= 0x3C
keep("damaged", bytes(whole))
