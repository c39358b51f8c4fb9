"""The learning-rate finder of fastai: its four rules on given curves, and runs over given losses.

The rules see the curve as `Learner.lr_find` cuts it: without the first `num_it // 10` and the last
5 points, and without everything from the first loss that is no number. `whole` is what the same
rules say of the curve uncut. Every rule is fastai's own, on float64; that `lr_find` itself, which
rounds to float32, picks the same points is asserted.

A run drives fastai's training loop, recorder and `LRFinder` over losses that are given instead of
computed, in float32; what is written is fastai's average of them in float64, which is asserted to
agree.
"""

import math
import tempfile
import warnings
from contextlib import nullcontext
from types import SimpleNamespace

import torch
from torch import nn
from torch.utils.data import TensorDataset

from generator import u

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastai.callback.schedule import LRFinder, SchedExp, minimum, slide, steep, valley
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader
    from fastai.learner import AvgSmoothLoss, Learner

PACKAGES = ("fastai",)
TOLERANCE = (1e-9, 1e-2)

RULES = {"minimum": minimum, "steep": steep, "valley": valley, "slide": slide}
SKIP_END = 5


def rates(start_lr, end_lr, num_it, count):
    """The rate of each of the first iterations."""
    at = SchedExp(start_lr, end_lr)
    return [float(at(i / num_it)) for i in range(count)]


def shapes():
    """Name, the loss at part x of the way, the noise, start, end, iterations and how many ran."""

    def fall(x, middle, width):
        return 1 / (1 + math.exp((x - middle) / width))

    def bowl(x):
        return 0.5 + 1.9 * fall(x, 0.55, 0.06) + 40.0 * max(x - 0.82, 0.0) ** 2

    def plateau(x):
        two = 1.0 * fall(x, 0.35, 0.03) + 0.9 * fall(x, 0.72, 0.03)
        return 0.4 + two + 60.0 * max(x - 0.87, 0.0) ** 2

    def early(x):
        return 0.9 + 1.4 * fall(x, 0.4, 0.05) + 25.0 * max(x - 0.5, 0.0) ** 1.5

    yield "bowl", bowl, 0.01, 1e-7, 10, 100, 100
    yield "noisy_bowl", bowl, 0.12, 1e-7, 10, 100, 100
    yield "plateau", plateau, 0.02, 1e-7, 10, 100, 100
    yield "falling", lambda x: 0.2 + 2.1 * fall(x, 0.7, 0.12), 0.0, 1e-7, 10, 100, 100
    yield "rising", lambda x: 2.3 + 3.0 * x**3, 0.0, 1e-7, 10, 100, 100
    yield "level", lambda x: 2.25, 0.0, 1e-7, 10, 100, 100
    yield "diverges_early", early, 0.01, 1e-7, 10, 100, 71
    yield "short", bowl, 0.03, 1e-6, 1, 60, 60
    yield "no_number", lambda x: bowl(x) if x < 0.8 else math.nan, 0.01, 1e-7, 10, 100, 100


def suggestions(lrs, losses, num_it):
    """The rate that each rule suggests, computed in float64."""
    lrs, losses = (torch.tensor(values, dtype=torch.float64) for values in (lrs, losses))
    return {name: float(rule(lrs, losses, num_it)[0]) for name, rule in RULES.items()}


def found(lrs, losses, num_it):
    """What `lr_find` suggests after a run that left this record."""
    learner = SimpleNamespace(
        dls=SimpleNamespace(train=range(num_it)),
        no_logging=nullcontext,
        fit=lambda n_epoch, cbs: None,
        recorder=SimpleNamespace(lrs=lrs, losses=[torch.tensor(x) for x in losses]),
    )
    rules = tuple(RULES.values())
    result = Learner.lr_find(learner, num_it=num_it, show_plot=False, suggest_funcs=rules)
    return result._asdict()


def curves():
    """The suggestions for every curve."""
    out = []
    for name, shape, amount, start_lr, end_lr, num_it, count in shapes():
        lrs = rates(start_lr, end_lr, num_it, count)
        noise = u(f"finder.{name}", (count,)).tolist()
        losses = [round(shape(i / num_it) + amount * noise[i], 5) for i in range(count)]
        numbers = [x for x in losses if not math.isnan(x)]
        first, last = num_it // 10, min(count - SKIP_END, len(numbers))
        cut = suggestions(lrs[first:last], losses[first:last], num_it)
        for rule, rate in found(lrs, losses, num_it).items():
            assert math.isclose(rate, cut[rule], rel_tol=1e-5), (name, rule, rate, cut)
        broken = len(numbers) < count
        case = {"name": name, "start_lr": start_lr, "end_lr": end_lr, "num_it": num_it}
        case |= {"lrs": lrs, "losses": [None if math.isnan(x) else x for x in losses]}
        case |= {"cut": {"from": first, "to": last, **cut}}
        out.append(case | {"whole": None if broken else suggestions(lrs, losses, num_it)})
    return out


def driven(raw, start_lr, end_lr, num_it, stop_div):
    """The rates and averages that fastai records over the given losses, in float32."""
    given = iter(raw)
    data = TensorDataset(torch.zeros(len(raw), 1), torch.zeros(len(raw), 1))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learner = Learner(
            DataLoaders(DataLoader(data, bs=1, num_workers=0), device="cpu"),
            nn.Linear(1, 1),
            loss_func=lambda outputs, targets: outputs.sum() * 0.0 + next(given),
            path=folder,
        )
        finder = LRFinder(start_lr=start_lr, end_lr=end_lr, num_it=num_it, stop_div=stop_div)
        with learner.no_logging(), learner.no_bar():
            learner.fit(1, cbs=finder)
    return learner.recorder.lrs, [float(x) for x in learner.recorder.losses], float(finder.best_loss)


def series():
    """Name, raw losses, start, end, iterations, whether divergence stops the run."""

    def losses(name, count, shape, amount):
        noise = u(f"finder.{name}", (count,)).tolist()
        return [round(shape(i) + amount * x, 5) for i, x in enumerate(noise)]

    def explodes(i):
        return 2.3 - 0.03 * i + math.exp((i - 36) / 2)

    yield "diverges", losses("diverges", 80, explodes, 0.2), 1e-7, 10, 80, True
    yield "goes_on", losses("diverges", 60, explodes, 0.2), 1e-7, 10, 60, False
    yield "ends", losses("ends", 40, lambda i: 2.3 * 0.97**i, 0.1), 1e-5, 1, 40, True
    # Below 6 iterations there are none.
    yield "at_least_six", losses("six", 10, lambda i: 2.0 - 0.1 * i, 0.0), 1e-4, 1, 3, True
    jump = [1.0, 0.9, 0.8, 500.0, 0.7, 0.6, 0.5, 0.4]
    yield "one_jump", jump, 1e-4, 1, 8, True


def runs():
    """What is recorded of every run, and whether and after how many iterations it stopped."""
    out = []
    for name, raw, start_lr, end_lr, num_it, stop_div in series():
        lrs, recorded, best = driven(raw, start_lr, end_lr, num_it, stop_div)
        average = AvgSmoothLoss(beta=0.98)
        average.reset()
        average.val = average.val.double()
        smoothed = []
        for x in raw[: len(lrs)]:
            average.accumulate(SimpleNamespace(loss=torch.tensor(x, dtype=torch.float64)))
            smoothed.append(float(average.value))
        for single, double in zip(recorded, smoothed, strict=True):
            assert math.isclose(single, double, rel_tol=1e-4)
        ratio = smoothed[-1] / min(smoothed)
        diverged = stop_div and ratio > 4
        assert math.isclose(best, min(smoothed), rel_tol=1e-4) and abs(ratio - 4) > 1e-3
        assert diverged or len(lrs) == max(num_it, 6)
        case = {"name": name, "start_lr": start_lr, "end_lr": end_lr, "num_it": num_it}
        case |= {"stop_on_divergence": stop_div, "raw": raw}
        case |= {"iterations": len(lrs), "diverged": diverged, "best": min(smoothed)}
        out.append(case | {"lrs": lrs, "smoothed": smoothed})
    return out


def fixture():
    """Every curve and every run."""
    return {
        "note": (
            "float64; null among losses is no number; cut holds what the rules of lr_find suggest from "
            "the points from..to of a curve, whole what they suggest from all; of runs, smoothed is "
            "the debiased average of raw with beta 0.98 after each iteration that was run, and one "
            "that diverged stopped after the first average above 4 times the best so far"
        ),
        "curves": curves(),
        "runs": runs(),
    }
