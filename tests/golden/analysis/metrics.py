"""Measures of classifiers: of predictions, rankings and calibration; temperature, McNemar's test, ensembles.

All are computed in float64 from the softmax of the logits, by scikit-learn and torchmetrics.

Precision is null for a class never predicted, recall for a class without samples, F1 for a class
with neither (zero_division=nan). The averages are over the classes that occur or are predicted, and
there what is undefined counts as 0 (zero_division=0). Balanced accuracy is the mean recall of the
classes that have samples. The area under the ROC curve of a class is null without samples of it or
of others, its average precision without samples of it; their means are over the classes that have
one. Kappa is null if chance alone agrees always. The temperature is null if no picture is wrong, as
no T is the best then.

A bin of confidences holds low <= confidence < high, as in torchmetrics, whose confidence of
exactly 1 would be in a 16th bin; no case has one, nor one next to an edge. An empty bin has
neither confidence nor accuracy here; in torchmetrics it has 0 for both.
"""

import math
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    cohen_kappa_score,
    confusion_matrix,
    log_loss,
    matthews_corrcoef,
    precision_recall_fscore_support,
    roc_auc_score,
    top_k_accuracy_score,
)
from torchmetrics.functional.classification import multiclass_calibration_error
from torchmetrics.functional.classification.calibration_error import _binning_bucketize, _ce_compute

from generator import u

PACKAGES = ("scikit-learn", "torchmetrics", "scipy")
TOLERANCE = (1e-7, 1e-2)

BINS = 15
RATES = ("precision", "recall", "f1")


def or_null(value):
    """A float that JSON can hold."""
    return None if math.isnan(value) else float(value)


def softmax(logits):
    """The probabilities in float64, as an array."""
    return torch.softmax(torch.tensor(logits, dtype=torch.float64), 1).numpy()


def noise(name, shape):
    """Named values around zero, most below 1, about normal."""
    return sum(u(f"{name}.{part}", shape) for part in range(4)) / 2


def drawn(name, labels, classes, spread, margin):
    """Logits that favour the label by `margin`: multiples of 1/1024, no two of a row equal."""
    rows = noise(name, (len(labels), classes)) * spread + np.eye(classes)[labels] * margin
    rows = np.round(rows * 1024)
    for row in rows:
        while len(set(row)) < classes:
            for place in range(1, classes):
                row[place] += row[place] in row[:place]
    return (rows / 1024).tolist()


def spread_labels(name, count, classes):
    """Labels among the given classes."""
    return [classes[int(x)] for x in (u(name, (count,)) + 1) / 2 * len(classes)]


def inputs():
    """Name, number of classes, labels, logits."""
    labels = spread_labels("moderate.labels", 80, range(5))
    yield "moderate", 5, labels, drawn("moderate", labels, 5, 1.5, 1.5)

    labels = spread_labels("absent.labels", 60, (0, 2))
    yield "class_without_samples", 3, labels, drawn("absent", labels, 3, 1.5, 1.25)

    labels = spread_labels("unpredicted.labels", 60, range(4))
    logits = drawn("unpredicted", labels, 4, 1.5, 1.5)
    logits = [[x - 4.5 * (k == 2) for k, x in enumerate(row)] for row in logits]
    yield "class_never_predicted", 4, labels, logits

    # Of class 3 there are neither samples nor predictions.
    labels = spread_labels("neither.labels", 40, range(3))
    logits = drawn("neither", labels, 4, 1.5, 1.5)
    logits = [[x - 8.0 * (k == 3) for k, x in enumerate(row)] for row in logits]
    yield "class_in_neither", 4, labels, logits

    labels = spread_labels("binary.labels", 50, range(2))
    yield "binary", 2, labels, drawn("binary", labels, 2, 1.5, 1.0)

    labels = spread_labels("overconfident.labels", 120, range(10))
    yield "overconfident", 10, labels, drawn("overconfident", labels, 10, 6.0, 6.0)

    # Whole rows recur under different labels: pictures of the same scores.
    kinds = drawn("tied", [0, 0, 1, 1, 2, 2, 0, 1], 3, 1.5, 1.25)
    labels = spread_labels("tied.labels", 60, range(3))
    picks = [2 * label + i % 2 if i % 3 else i % 8 for i, label in enumerate(labels)]
    yield "tied_scores", 3, labels, [kinds[pick] for pick in picks]

    labels = [1] * 12
    yield "one_class_alone", 3, labels, drawn("alone", labels, 3, 1.5, 0.75)
    yield "one_class_all_right", 3, labels, drawn("alone", labels, 3, 1.5, 4.0)


def check_inputs(logits, probabilities, tied):
    """Nothing may hang on the last digits: no ties but those meant, no confidence at an edge."""
    assert np.array_equal(np.float32(logits), logits)
    assert all(len(set(row)) == len(row) for row in logits)
    confidences = probabilities.max(1)
    edges = np.linspace(0, 1, BINS + 1)
    assert np.abs(confidences[:, None] - edges).min() > 1e-6
    for column in probabilities.T:
        gaps = np.diff(np.sort(column))
        assert (gaps[gaps > 0] > 1e-10).all()
        assert tied or (gaps > 0).all()


def per_class(labels, predicted, probabilities, classes):
    """The lists of one number for each class, and the averages of their rates."""
    everything = {"labels": range(classes)}
    *rates, support = precision_recall_fscore_support(
        labels, predicted, average=None, zero_division=np.nan, **everything
    )
    lists = {name: [or_null(x) for x in rate] for name, rate in zip(RATES, rates, strict=True)}
    averages = {}
    for average in ("macro", "micro", "weighted"):
        *rates, _ = precision_recall_fscore_support(
            labels, predicted, average=average, zero_division=0
        )
        averages[average] = {name: float(x) for name, x in zip(RATES, rates, strict=True)}
    curves = {"roc_auc": [], "average_precision": []}
    for k in range(classes):
        truth = np.equal(labels, k)
        some, all_of_them = truth.any(), truth.all()
        roc = roc_auc_score(truth, probabilities[:, k]) if some and not all_of_them else None
        precision = average_precision_score(truth, probabilities[:, k]) if some else None
        curves["roc_auc"].append(None if roc is None else float(roc))
        curves["average_precision"].append(None if precision is None else float(precision))
    means = {}
    for name, values in curves.items():
        defined = [x for x in values if x is not None]
        means[f"macro_{name}"] = float(np.mean(defined)) if defined else None
    if classes > 2 and None not in curves["roc_auc"]:
        whole = roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
        assert abs(whole - means["macro_roc_auc"]) < 1e-12
    lists = {**lists, "support": support.tolist(), **curves}
    return {"per_class": lists, "averages": averages, **means}


def calibration(labels, probabilities, classes):
    """The calibration errors and the bins of the reliability diagram."""
    scores, truth = torch.from_numpy(probabilities), torch.tensor(labels)
    confidences, predicted = scores.max(1)
    correct = predicted.eq(truth).double()
    errors = {}
    for name, norm in (("ece", "l1"), ("mce", "max")):
        # The public function rounds the confidences to float32 before the same computation.
        single = multiclass_calibration_error(scores, truth, classes, n_bins=BINS, norm=norm)
        errors[name] = float(_ce_compute(confidences, correct, BINS, norm=norm))
        assert abs(float(single) - errors[name]) < 1e-6
    edges = torch.linspace(0, 1, BINS + 1, dtype=torch.float64)
    accuracy, confidence, part = _binning_bucketize(confidences, correct, edges)
    counts = [round(x) for x in (part * len(labels)).tolist()]
    # The 16th bin.
    assert counts.pop() == 0

    def of_bins(values):
        return [x if count else None for count, x in zip(counts, values.tolist(), strict=False)]

    bins = {"count": counts, "confidence": of_bins(confidence), "accuracy": of_bins(accuracy)}
    return {**errors, "bins": bins}


def temperature(logits, labels):
    """The temperature that the logits are best divided by, and the loss there."""
    logits, labels = torch.tensor(logits, dtype=torch.float64), torch.tensor(labels)

    def nll(log_t):
        return float(F.cross_entropy(logits / math.exp(log_t), labels))

    found = minimize_scalar(nll, bounds=(-5, 5), method="bounded", options={"xatol": 1e-12})
    assert found.success
    if found.fun < 1e-12:
        return {"temperature": None, "temperature_nll": None}
    assert abs(found.x) < 4.9
    return {"temperature": math.exp(found.x), "temperature_nll": float(found.fun)}


def measures(labels, logits, classes):
    """Everything that is expected of one case."""
    probabilities = softmax(logits)
    predicted = probabilities.argmax(1)
    everything = {"labels": range(classes)}
    out = {"top1": float(accuracy_score(labels, predicted))}
    for k in (3, 5):
        enough = k <= classes
        top = top_k_accuracy_score(labels, probabilities, k=k, **everything) if enough else None
        out[f"top{k}"] = None if top is None else float(top)
    brier = brier_score_loss(labels, probabilities, scale_by_half=False, **everything)
    out |= {
        "nll": float(log_loss(labels, probabilities, **everything)),
        "brier": float(brier),
        "balanced_accuracy": float(balanced_accuracy_score(labels, predicted)),
        "cohen_kappa": or_null(cohen_kappa_score(labels, predicted, **everything)),
        "matthews_corrcoef": float(matthews_corrcoef(labels, predicted)),
        "confusion": confusion_matrix(labels, predicted, **everything).tolist(),
    }
    out |= per_class(labels, predicted, probabilities, classes)
    out |= calibration(labels, probabilities, classes)
    return out | temperature(logits, labels)


def mcnemar():
    """The exact test of two models: b pictures only the first has right, c only the second."""
    pairs = [(0, 0), (1, 0), (0, 5), (3, 3), (5, 6), (9, 2), (10, 25), (0, 60)]
    pairs += [(60, 40), (180, 120), (1000, 1100), (5200, 5000), (400, 30)]
    rows = []
    for b, c in pairs:
        # Without a picture that they disagree on nothing speaks against their being equal.
        p = binomtest(min(b, c), b + c, 0.5).pvalue if b + c else 1.0
        rows.append({"b": b, "c": c, "exact_p": float(p)})
    return rows


def ensembles():
    """Three models of 12 pictures, joined by their probabilities and by their logits."""
    labels = [i * 3 % 4 for i in range(12)]
    members = [drawn(f"ensemble.{member}", labels, 4, 3.0, 1.5) for member in range(3)]
    by_probabilities = np.mean([softmax(logits) for logits in members], axis=0)
    by_logits = softmax(np.mean(members, axis=0))

    def joined(probabilities):
        rows, predicted = probabilities.tolist(), probabilities.argmax(1)
        top1 = float(accuracy_score(labels, predicted))
        return {"probabilities": rows, "predicted": predicted.tolist(), "top1": top1}

    assert (by_probabilities.argmax(1) != by_logits.argmax(1)).any()
    for mean in (by_probabilities, by_logits):
        assert np.diff(np.sort(mean, axis=1), axis=1)[:, -1].min() > 1e-3
    return {
        "labels": labels,
        "members": members,
        "mean_of_probabilities": joined(by_probabilities),
        "mean_of_logits": joined(by_logits),
    }


def fixture():
    """Every case, the tests of two models and the ensembles."""
    cases = []
    for name, classes, labels, logits in inputs():
        check_inputs(logits, softmax(logits), tied=name == "tied_scores")
        with warnings.catch_warnings():
            # About the classes without samples or predictions, which are meant.
            warnings.simplefilter("ignore")
            expected = measures(labels, logits, classes)
        case = {"name": name, "classes": classes, "labels": labels, "logits": logits}
        cases.append({**case, "expected": expected})
    return {
        "note": (
            "float64, from the softmax of the logits; null is no number: fewer classes than k, or "
            "undefined; averages are over all classes and take an undefined rate as 0; bin i of 15 "
            "holds i/15 <= confidence < (i + 1)/15; rows of confusion are the true classes; brier "
            "sums over the classes; temperature is good to about 1e-7, its nll to all digits"
        ),
        "cases": cases,
        "mcnemar": mcnemar(),
        "ensembles": ensembles(),
    }
