"""MODULE: print its version. MODULE TASK DIR: print the seconds of one computation on one core, and its answers."""

import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

module, arguments = sys.argv[1], sys.argv[2:]


def column(name, kind=np.float64):
    return np.fromfile(os.path.join(arguments[1], name), dtype=kind)


def rows(task):
    if task == "binary":
        return column("labels", np.uint8).astype(int), column("scores")
    if task == "multiclass":
        return column("classes", np.uint8).astype(int), column("proba").reshape(-1, 10)
    return column("truths"), column("predictions")


if module == "sklearn":
    import sklearn as package
    from sklearn import metrics

    def binary(y, s):
        predicted = (s >= 0.5).astype(int)
        return (
            metrics.accuracy_score(y, predicted),
            metrics.f1_score(y, predicted),
            metrics.roc_auc_score(y, s),
            metrics.log_loss(y, s),
        )

    def multiclass(y, s):
        return metrics.log_loss(y, s), metrics.roc_auc_score(y, s, multi_class="ovr")

    def regression(y, p):
        return (
            metrics.mean_absolute_error(y, p),
            metrics.mean_squared_error(y, p),
            metrics.r2_score(y, p),
            metrics.median_absolute_error(y, p),
        )

    def ready(y, s):
        return y, s

else:
    import torch
    import torchmetrics as package
    import torchmetrics.functional as of

    torch.set_num_threads(1)

    def binary(y, s):
        return (
            of.classification.binary_accuracy(s, y),
            of.classification.binary_f1_score(s, y),
            of.classification.binary_auroc(s, y),
            torch.nn.functional.binary_cross_entropy(s, y.float()),
        )

    def multiclass(y, s):
        area = of.classification.multiclass_auroc(s, y, num_classes=10)
        return torch.nn.functional.nll_loss(s.log(), y), area

    def regression(y, p):
        return (
            of.mean_absolute_error(p, y),
            of.mean_squared_error(p, y),
            of.r2_score(p, y),
            (p - y).abs().median(),
        )

    def ready(y, s):
        # Its own usual precision.
        y = torch.from_numpy(y)
        return (y.float() if y.is_floating_point() else y), torch.from_numpy(s).float()


if not arguments:
    print(package.__version__)
else:
    task = {"binary": binary, "multiclass": multiclass, "regression": regression}[arguments[0]]
    inputs = ready(*rows(arguments[0]))
    # Once to warm up on a few rows, so that lazy imports do not count.
    task(*(part[:1000] for part in inputs))
    began = time.perf_counter()
    answers = task(*inputs)
    seconds = time.perf_counter() - began
    print(seconds, *(float(answer) for answer in answers))
