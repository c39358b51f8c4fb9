"""Schedules: the rate, and for OneCycleLR the momentum, at every step."""

import math

import numpy as np
import torch
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from generator import u


def schedule_run(base_lr, make, steps, momentum):
    """The rate, and if asked the momentum, in force at each step."""
    optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=base_lr, momentum=0.9)
    schedule = make(optimizer)
    lrs, momenta = [], []
    for step in range(steps):
        lrs.append(float(optimizer.param_groups[0]["lr"]))
        momenta.append(float(optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        if step + 1 < steps:
            schedule.step()
    return {"lr": lrs, "momentum": momenta} if momentum else {"lr": lrs}


def plateaus():
    """ReduceLROnPlateau over 60 epochs whose measure falls, or rises, more and more slowly and with noise."""
    fall = [2.0 * 0.9**epoch + 0.02 * x + 0.3 for epoch, x in enumerate(u("plateau", (60,)).tolist())]
    # From measure 40 on nothing is a number for five epochs.
    broken = [math.nan if 40 <= epoch < 45 else x for epoch, x in enumerate(fall)]
    cases = [
        (fall, {"factor": 0.5, "patience": 5}),
        (fall, {"factor": 0.5, "patience": 2, "threshold": 0.01, "cooldown": 3, "min_lr": 1e-3}),
        (fall, {"patience": 0, "threshold": 0.05, "threshold_mode": "abs"}),
        (fall, {"factor": 0.3, "patience": 1, "eps": 1e-4}),
        ([1.0 - x for x in fall], {"mode": "max", "factor": 0.5, "patience": 3}),
        (
            [3.0 - x for x in fall],
            {"mode": "max", "factor": 0.5, "patience": 3, "threshold": 0.02, "threshold_mode": "abs"},
        ),
        (broken, {"factor": 0.5, "patience": 2}),
    ]
    out = []
    for measures, options in cases:
        optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        schedule = ReduceLROnPlateau(optimizer, **options)
        lrs = []
        for measure in measures:
            schedule.step(measure)
            lrs.append(float(optimizer.param_groups[0]["lr"]))
        # JSON has no NaN.
        measures = [None if math.isnan(measure) else measure for measure in measures]
        spec = {"type": "plateau", "lr": 0.1, **options}
        out.append({"spec": spec, "measures": measures, "lr": lrs})
    return out


def fixture():
    """Every schedule case."""
    one_cycle = [
        ("one_cycle", {"max_lr": 3e-3, "total_steps": 100}),
        ("one_cycle_linear", {"max_lr": 3e-3, "total_steps": 100, "anneal_strategy": "linear"}),
        ("one_cycle_three_phase", {"max_lr": 3e-3, "total_steps": 100, "three_phase": True}),
        (
            "one_cycle_factors",
            {
                "max_lr": 3e-3,
                "total_steps": 100,
                "pct_start": 0.1,
                "div_factor": 10.0,
                "final_div_factor": 100.0,
            },
        ),
        ("one_cycle_odd", {"max_lr": 3e-3, "total_steps": 37}),
        (
            "one_cycle_odd_three_phase",
            {"max_lr": 3e-3, "total_steps": 37, "three_phase": True},
        ),
    ]
    defaults = {
        "pct_start": 0.3,
        "anneal_strategy": "cos",
        "base_momentum": 0.85,
        "max_momentum": 0.95,
        "div_factor": 25.0,
        "final_div_factor": 1e4,
        "three_phase": False,
    }
    out = []
    for name, options in one_cycle:
        options = {**defaults, **options}
        run = schedule_run(
            0.1, lambda o, options=options: OneCycleLR(o, **options), options["total_steps"], True
        )
        out.append({"name": name, "schedule": "OneCycleLR", "options": options, **run})

    options = {"T_max": 50, "eta_min": 1e-6}
    run = schedule_run(1e-4, lambda o: CosineAnnealingLR(o, **options), 120, False)
    out.append(
        {
            "name": "cosine",
            "schedule": "CosineAnnealingLR",
            "base_lr": 1e-4,
            "options": options,
            **run,
        }
    )

    linear = {"start_factor": 0.01, "end_factor": 1.0, "total_iters": 10}
    cosine = {"T_max": 90, "eta_min": 0.0}

    def warm(optimizer):
        return SequentialLR(
            optimizer,
            [LinearLR(optimizer, **linear), CosineAnnealingLR(optimizer, **cosine)],
            milestones=[10],
        )

    run = schedule_run(0.1, warm, 100, False)
    out.append(
        {
            "name": "linear_then_cosine",
            "schedule": "SequentialLR",
            "base_lr": 0.1,
            "options": {"LinearLR": linear, "CosineAnnealingLR": cosine, "milestones": [10]},
            **run,
        }
    )

    run = schedule_run(0.1, lambda o: ConstantLR(o, factor=1.0), 10, False)
    out.append({"name": "constant", "schedule": "constant", "base_lr": 0.1, "options": {}, **run})
    out += [named(*case) for case in by_their_own_settings()]
    return {
        "note": (
            "float64; element t is the rate (and the momentum or beta1) in force at optimizer step "
            "t, counted from 0, with the schedule stepped once after each optimizer step; of plateaus, "
            "element e is the rate after measure e, null being no number"
        ),
        "cases": out,
        "plateaus": plateaus(),
    }


def named(name, spec, base_lr, make, steps=60, momentum=False):
    """A case that says how Kiln spells it; an epoch has 10 steps."""
    run = schedule_run(base_lr, make, steps, momentum)
    return {"name": name, "schedule": "spec", "spec": spec, "options": {}, **run}


def after(flat, then):
    """A level stretch, then another scheduler."""

    def make(optimizer):
        level = ConstantLR(optimizer, factor=1.0, total_iters=flat)
        return SequentialLR(optimizer, [level, then(optimizer)], milestones=[flat])

    return make


def by_their_own_settings():
    """Name, Kiln's settings, base rate, PyTorch's scheduler."""
    epochs, steps = (lambda n: {"epochs": n}), (lambda n: {"steps": n})
    yield (
        "step",
        {"type": "step", "lr": 0.1, "step_size": epochs(2), "gamma": 0.3},
        0.1,
        lambda o: StepLR(o, 20, gamma=0.3),
    )
    yield (
        "multi_step",
        {"type": "multi_step", "lr": 0.1, "milestones": [steps(7), epochs(2), {"fraction": 0.9}]},
        0.1,
        lambda o: MultiStepLR(o, [7, 20, 54]),
    )
    yield (
        "exponential",
        {"type": "exponential", "lr": 0.1, "gamma": 0.95, "every": steps(1)},
        0.1,
        lambda o: ExponentialLR(o, gamma=0.95),
    )
    yield (
        "exponential_epochs",
        {"type": "exponential", "lr": 0.1, "gamma": 0.5},
        0.1,
        lambda o: LambdaLR(o, lambda step: 0.5 ** (step / 10)),
    )
    yield (
        "polynomial",
        {"type": "polynomial", "lr": 0.1, "power": 2.0},
        0.1,
        lambda o: PolynomialLR(o, total_iters=60, power=2.0),
    )
    yield (
        "polynomial_ends_early",
        {"type": "polynomial", "lr": 0.1, "over": steps(41)},
        0.1,
        lambda o: PolynomialLR(o, total_iters=41),
    )
    for mult in (1, 2):
        yield (
            f"cosine_warm_restarts_{mult}",
            {
                "type": "cosine_warm_restarts",
                "lr": 0.1,
                "t_0": steps(7),
                "t_mult": mult,
                "eta_min": 1e-3,
            },
            0.1,
            lambda o, mult=mult: CosineAnnealingWarmRestarts(o, 7, T_mult=mult, eta_min=1e-3),
        )
    for mode in ("triangular", "triangular2", "exp_range"):
        cycle = {"base_lr": 0.01, "max_lr": 0.2, "mode": mode, "gamma": 0.97}
        yield (
            f"cyclic_{mode}",
            {"type": "cyclic", "step_size_up": steps(6), "step_size_down": steps(9), **cycle},
            0.01,
            lambda o, cycle=cycle: CyclicLR(o, step_size_up=6, step_size_down=9, **cycle),
            60,
            True,
        )
    yield (
        "flat_cosine",
        {"type": "flat_cosine", "lr": 0.1, "eta_min": 1e-4},
        0.1,
        after(45, lambda o: CosineAnnealingLR(o, T_max=15, eta_min=1e-4)),
    )
    yield (
        "warmup_stable_decay",
        {"type": "warmup_stable_decay", "lr": 0.1},
        0.1,
        after(48, lambda o: LinearLR(o, 1.0, 0.0, total_iters=12)),
    )
    curves = {
        "cosine": lambda part: (1 + math.cos(math.pi * part)) / 2,
        "sqrt": lambda part: 1 - math.sqrt(part),
    }
    for curve, left in curves.items():
        yield (
            f"warmup_stable_decay_{curve}",
            {
                "type": "warmup_stable_decay",
                "lr": 0.1,
                "decay": curve,
                "decay_for": epochs(2),
                "eta_min": 0.01,
            },
            0.1,
            lambda o, left=left: LambdaLR(o, lambda t: 0.1 + 0.9 * left(max(t - 40, 0) / 20)),
        )
    points = [(0, 0.01), (15, 0.4), (40, 0.04), (55, 0.0)]
    yield (
        "piecewise",
        {"type": "piecewise", "points": [{"at": steps(at), "lr": lr} for at, lr in points]},
        1.0,
        lambda o: LambdaLR(o, lambda t: float(np.interp(t, *zip(*points, strict=True)))),
    )
    parts = [
        {"schedule": {"type": "constant", "lr": 0.1}, "run_for": steps(8)},
        {"schedule": {"type": "step", "lr": 0.1, "step_size": steps(5)}, "run_for": epochs(2)},
        {"schedule": {"type": "cosine_annealing", "lr": 0.1}},
    ]
    yield (
        "sequence",
        {"type": "sequence", "parts": parts},
        0.1,
        lambda o: SequentialLR(
            o,
            [ConstantLR(o, factor=1.0), StepLR(o, 5), CosineAnnealingLR(o, T_max=32)],
            milestones=[8, 28],
        ),
    )
    yield (
        "constant_warmup",
        {"warmup": {"span": steps(10), "curve": "constant"}, "type": "constant", "lr": 0.1},
        0.1,
        lambda o: ConstantLR(o, factor=1 / 3, total_iters=10),
    )
