"""Optimizers: parameters after each step of torch.optim's and timm's, alone and under OneCycleLR."""

import contextlib

import torch
import torch.optim._muon as torch_muon
from timm.optim import Lamb, Lion, RMSpropTF
from timm.optim.muon import zeropower_via_newtonschulz
from torch import nn
from torch.optim import SGD, Adam, AdamW, Muon, RMSprop
from torch.optim.lr_scheduler import OneCycleLR

from generator import DTYPES, tensor, u
from writing import flat

SHAPES = {"w": (3, 4), "b": (4,)}
STEPS = 20


class MuonAndAdamW:
    """torch's Muon for the matrix, AdamW for the vector, as one optimizer; the iterations keep the precision."""

    def __init__(self, params, lr_scale=1.0, **options):
        (matrix,), (vector,) = (group["params"] for group in params)
        self.muon = Muon([matrix], **options)
        # Muon's default, so that both parameters have the same.
        decay = options.get("weight_decay", 0.1)
        self.adamw = AdamW([vector], lr=options["lr"] * lr_scale, weight_decay=decay)
        self.param_groups = self.muon.param_groups

    def step(self):
        with exact_iterations():
            self.muon.step()
        self.adamw.step()


@contextlib.contextmanager
def exact_iterations():
    """Replaces torch's iterations in bf16 by timm's, which take the gradient's own precision."""
    theirs = torch_muon._zeropower_via_newtonschulz

    def exact(grad, coefficients, steps, eps):
        return zeropower_via_newtonschulz(grad, steps, [coefficients], eps, dtype=grad.dtype)

    torch_muon._zeropower_via_newtonschulz = exact
    try:
        yield
    finally:
        torch_muon._zeropower_via_newtonschulz = theirs


def muon_cases():
    """Kiln's settings and torch's."""
    yield "muon", {"lr": 0.02}, {}, {}
    match = {"lr": 0.01, "weight_decay": 0.0, "nesterov": False, "ns_steps": 3}
    yield "muon_match", {**match, "adjust_lr_fn": "match_rms_adamw"}, {"adjust_lr": "match_rms_adamw"}, {}
    rest = {"lr_scale": 0.1}
    yield "muon_rest", {"lr": 0.02, "momentum": 0.8}, {"rest": rest}, rest


def run(make, dtype, one_cycle, groups=None):
    """Rates, momenta and the parameters after each step of one optimizer."""
    params = {name: nn.Parameter(tensor(u(name, shape), dtype)) for name, shape in SHAPES.items()}
    # A group for each parameter, as people make them to spare norms and biases the decay.
    groups = groups or {}
    optimizer = make([{"params": [p], **groups.get(name, {})} for name, p in params.items()])
    schedule = OneCycleLR(optimizer, max_lr=3e-3, total_steps=STEPS) if one_cycle else None
    lrs, momenta, trace = [], [], {name: [] for name in params}
    for step in range(STEPS):
        group = optimizer.param_groups[0]
        lrs.append(group["lr"])
        momenta.append(group["betas"][0] if "betas" in group else group["momentum"])
        for name, param in params.items():
            param.grad = tensor(u(f"grad.{name}.{step}", SHAPES[name]), dtype)
        optimizer.step()
        if schedule is not None and step + 1 < STEPS:
            schedule.step()
        for name, param in params.items():
            trace[name].append(flat(param))
    return lrs, momenta, trace


def fixture():
    """Every optimizer case."""
    cases = [
        ("adam", Adam, {"lr": 0.01}, False),
        ("adam_weight_decay", Adam, {"lr": 0.01, "weight_decay": 1e-2}, False),
        ("adamw", AdamW, {"lr": 1e-3}, False),
        ("sgd", SGD, {"lr": 0.01}, False),
        ("sgd_momentum", SGD, {"lr": 0.01, "momentum": 0.9}, False),
        (
            "sgd_nesterov_weight_decay",
            SGD,
            {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4},
            False,
        ),
        ("sgd_dampening", SGD, {"lr": 0.01, "momentum": 0.9, "dampening": 0.1}, False),
        ("adam_one_cycle", Adam, {"lr": 0.01}, True),
        ("sgd_momentum_one_cycle", SGD, {"lr": 0.01, "momentum": 0.9}, True),
        # Plain SGD: the schedule gives it a momentum all the same.
        ("sgd_one_cycle", SGD, {"lr": 0.01}, True),
        ("rmsprop", RMSprop, {"lr": 1e-3}, False),
        (
            "rmsprop_centered_momentum",
            RMSprop,
            {"lr": 1e-3, "alpha": 0.9, "momentum": 0.9, "centered": True, "weight_decay": 1e-2},
            False,
        ),
        ("rmsprop_centered", RMSprop, {"lr": 1e-3, "centered": True}, False),
        ("rmsprop_one_cycle", RMSprop, {"lr": 1e-3}, True),
        ("rmsprop_tf_centered", RMSpropTF, {"lr": 1e-3, "centered": True, "eps": 1e-3}, False),
        ("rmsprop_tf", RMSpropTF, {"lr": 1e-3}, False),
        (
            "rmsprop_tf_momentum",
            RMSpropTF,
            {"lr": 1e-3, "momentum": 0.9, "eps": 1e-3, "weight_decay": 1e-2},
            False,
        ),
        ("rmsprop_tf_one_cycle", RMSpropTF, {"lr": 1e-3, "momentum": 0.9, "eps": 1e-3}, True),
        # The stage clips, not the rule.
        ("lamb", Lamb, {"lr": 0.01, "max_grad_norm": None}, False),
        ("lamb_clipped_trust", Lamb, {"lr": 0.01, "max_grad_norm": None, "trust_clip": True}, False),
        ("lamb_no_decay", Lamb, {"lr": 0.01, "max_grad_norm": None, "weight_decay": 0.0}, False),
        ("lamb_one_cycle", Lamb, {"lr": 0.01, "max_grad_norm": None}, True),
        ("lion_one_cycle", Lion, {"lr": 1e-3}, True),
        ("lion", Lion, {"lr": 1e-3}, False),
        ("lion_weight_decay", Lion, {"lr": 1e-3, "weight_decay": 0.5}, False),
    ]
    # Kiln's settings, and PyTorch's of the group.
    decay = {"lr": 0.01, "weight_decay": 0.1}
    groups = {
        "adamw_groups": ({"w": {"lr_scale": 0.1}, "b": {"weight_decay": 0.0}}, AdamW, decay),
        "sgd_groups": (
            {"w": {"weight_decay": 0.3}, "b": {"lr_scale": 3.0}},
            SGD,
            {**decay, "momentum": 0.9},
        ),
    }
    cases += [(name, kind, options, False) for name, (_, kind, options) in groups.items()]
    keep = ("lr", "betas", "eps", "weight_decay", "momentum", "dampening", "nesterov", "alpha")
    keep += ("centered", "trust_clip")
    out = []
    for name, kind, options, one_cycle in cases:

        def make(params, kind=kind, options=options):
            return kind(params, **options)

        defaults = make([nn.Parameter(torch.zeros(1))]).defaults
        case = {
            "name": name,
            "optimizer": kind.__name__,
            "options": {
                k: list(v) if isinstance(v, tuple) else v for k, v in defaults.items() if k in keep
            },
        }
        theirs = {}
        if name in groups:
            case["groups"] = groups[name][0]
            for parameter, group in case["groups"].items():
                scale = group.get("lr_scale", 1.0)
                theirs[parameter] = {"lr": options["lr"] * scale, **group}
                theirs[parameter].pop("lr_scale", None)
        if one_cycle:
            case["one_cycle"] = {"max_lr": 3e-3, "total_steps": STEPS}
        # Both precisions of each rule's first case, which shows what f32 costs.
        first = all(case["optimizer"] != other["optimizer"] for other in out)
        for label, dtype in DTYPES.items():
            if label != "f32" and not first:
                continue
            lrs, momenta, trace = run(make, dtype, one_cycle, theirs)
            if label == "f32":
                if one_cycle:
                    case["lr"] = lrs
                    case["momentum" if "momentum" in defaults else "beta1"] = momenta
            case[label] = trace
        out.append(case)
    for name, options, ours, rest in muon_cases():

        def make(params, options=options, rest=rest):
            return MuonAndAdamW(params, **options, **rest)

        settings = {key: value for key, value in options.items() if key not in ("lr", "adjust_lr_fn")}
        case = {"name": name, "optimizer": "Muon", "options": {"lr": options["lr"], **settings, **ours}}
        case["f32"] = run(make, torch.float32, False)[2]
        out.append(case)
    return {
        "note": (
            f"parameters after each of {STEPS} steps; parameter NAME starts as u(NAME) and its "
            "gradient at step t (from 0) is u(grad.NAME.t); lr, beta1 and momentum are those used "
            "at that step; f64 is the same run in float64, of each rule's first case"
        ),
        "shapes": {name: list(shape) for name, shape in SHAPES.items()},
        "steps": STEPS,
        "cases": out,
    }
