"""Schedules: the rate, and for OneCycleLR the momentum, at every step."""

import torch
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    OneCycleLR,
    SequentialLR,
)


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
    return {
        "note": (
            "float64; element t is the rate (and the momentum or beta1) in force at optimizer step "
            "t, counted from 0, with the schedule stepped once after each optimizer step"
        ),
        "cases": out,
    }
