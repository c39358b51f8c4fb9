"""Ops that choose among other ops: references and cases."""

from torchvision.transforms import functional as F

REFERENCES = {
    "random_grayscale": lambda image: F.rgb_to_grayscale(image, num_output_channels=3),
    "random_horizontal_flip": F.hflip,
    "random_vertical_flip": F.vflip,
}
CHILDREN = [{"type": name, "p": 1.0} for name in REFERENCES]


def chosen(image, settings, draw):
    """The chosen ops one after the other; `draw` lists their positions."""
    for one in draw if isinstance(draw, list) else [draw] if draw else []:
        image = REFERENCES[settings["ops"][one["position"]]["type"]](image)
    return image


def sequential(image, settings, draw):
    for op in settings["ops"] if draw else []:
        image = REFERENCES[op["type"]](image)
    return image


OPS = {"one_of": chosen, "sequential": sequential, "some_of": chosen}


def composition_cases():
    def choice(position):
        return {"position": position, "draw": {"type": CHILDREN[position]["type"], "draw": True}}

    for position in range(3):
        name = f"chooses-{CHILDREN[position]['type']}"
        yield "one_of", name, "noise", (7, 4), {"ops": CHILDREN}, choice(position)
    yield "one_of", "rests", "noise", (7, 4), {"p": 0.5, "ops": CHILDREN}, None
    yield "some_of", "two", "noise", (7, 4), {"n": 2, "ops": CHILDREN}, [choice(0), choice(2)]
    yield "some_of", "none", "noise", (7, 4), {"n": [0, 1], "ops": CHILDREN}, []
    every = [choice(position)["draw"] for position in range(3)]
    yield "sequential", "all", "noise", (7, 4), {"ops": CHILDREN}, every
    yield "sequential", "rests", "noise", (7, 4), {"p": 0.5, "ops": CHILDREN}, []


def cases():
    yield from composition_cases()
