"""Writes predictions of fitted models for real data, and what scikit-learn measures of them."""

import json
import sys

import numpy as np
import pandas as pd
from sklearn import datasets, metrics as m
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

out = sys.argv[1]
random = np.random.default_rng(3)
expected = {}
classifier = lambda c=1.0: make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))


def binary(y, p, w=None):
    d, k = p >= 0.5, {"sample_weight": w}
    return {
        "accuracy": m.accuracy_score(y, d, **k),
        "balanced_accuracy": m.balanced_accuracy_score(y, d, **k),
        "precision": m.precision_score(y, d, **k),
        "recall": m.recall_score(y, d, **k),
        "f1": m.f1_score(y, d, **k),
        "mcc": m.matthews_corrcoef(y, d, **k),
        "cohen_kappa": m.cohen_kappa_score(y, d, **k),
        "jaccard": m.jaccard_score(y, d, **k),
        "log_loss": m.log_loss(y, p, **k),
        "brier": m.brier_score_loss(y, p, **k),
        "roc_auc": m.roc_auc_score(y, p, **k),
        "average_precision": m.average_precision_score(y, p, **k),
    }


def multiclass(y, p):
    d = p.argmax(1)
    return {
        "accuracy": m.accuracy_score(y, d),
        "f1_macro": m.f1_score(y, d, average="macro"),
        "precision_weighted": m.precision_score(y, d, average="weighted"),
        "mcc": m.matthews_corrcoef(y, d),
        "log_loss": m.log_loss(y, p),
        "top_2": m.top_k_accuracy_score(y, p, k=2),
        "roc_auc_ovr_macro": m.roc_auc_score(y, p, multi_class="ovr"),
        "roc_auc_ovo_macro": m.roc_auc_score(y, p, multi_class="ovo"),
    }


# Breast cancer: two versions, weights, and a column to slice by; in every format.
x, y = datasets.load_breast_cancer(return_X_y=True)
names = np.array(["malignant", "benign"])
new = cross_val_predict(classifier(), x, y, method="predict_proba")[:, 1]
old = cross_val_predict(classifier(1e-3), x[:, :4], y, method="predict_proba")[:, 1]
weight = random.integers(1, 4, len(y)).astype(float)
frame = pd.DataFrame({"label": y, "score": new, "radius": x[:, 0], "site": random.choice(["a", "b", "c"], len(y))})
frame.to_parquet(f"{out}/cancer.parquet")
frame.to_csv(f"{out}/cancer.csv", index=False)
frame.to_json(f"{out}/cancer.jsonl.gz", orient="records", lines=True, double_precision=15)
frame.assign(score=old).to_csv(f"{out}/old.csv", index=False)
frame.sample(frac=1, random_state=1).to_csv(f"{out}/shuffled.csv", index=False)
frame.assign(weight=weight).to_csv(f"{out}/weighted.csv", index=False)
pd.DataFrame({"diagnosis": names[y], "p": new}).to_csv(f"{out}/named.csv", index=False)
for file in ["cancer.parquet", "cancer.csv", "named.csv"]:
    expected[file] = binary(y, new)
# 15 digits.
expected["cancer.jsonl.gz"] = binary(y, np.array([round(p, 15) for p in new]))
expected["weighted.csv"] = binary(y, new, weight)
expected["old.csv"] = binary(y, old)

# Digits and wine: scores by number, by name, and decisions alone.
x, y = datasets.load_digits(return_X_y=True)
p = cross_val_predict(classifier(), x, y, method="predict_proba")
pd.DataFrame({"y_true": y, **{f"proba_{k}": p[:, k] for k in range(10)}}).to_parquet(f"{out}/digits.parquet")
expected["digits.parquet"] = multiclass(y, p)
# All scores of a row in one list.
pd.DataFrame({"y_true": y, "predict_proba": list(p)}).to_parquet(f"{out}/lists.parquet")
expected["lists.parquet"] = multiclass(y, p)
x, y = datasets.load_wine(return_X_y=True)
wines = np.array(["barolo", "grignolino", "barbera"])
p = cross_val_predict(classifier(), x[:, :5], y, method="predict_proba")
order = [2, 0, 1]
pd.DataFrame({"target": wines[y], **{wines[k]: p[:, k] for k in order}}).to_csv(f"{out}/wine.csv", index=False)
expected["wine.csv"] = multiclass(y, p)
pd.DataFrame({"target": wines[y], "prediction": wines[p.argmax(1)]}).to_csv(f"{out}/decided.csv", index=False)
decided = multiclass(y, p)
expected["decided.csv"] = {k: decided[k] for k in ["accuracy", "f1_macro", "precision_weighted", "mcc"]}

# Diabetes: a regression.
x, y = datasets.load_diabetes(return_X_y=True)
q = cross_val_predict(Ridge(0.1), x, y)
pd.DataFrame({"y_true": y, "y_pred": q, "bmi": x[:, 2]}).to_csv(f"{out}/diabetes.csv", index=False)
expected["diabetes.csv"] = {
    "mae": m.mean_absolute_error(y, q),
    "rmse": m.root_mean_squared_error(y, q),
    "r2": m.r2_score(y, q),
    "mape": m.mean_absolute_percentage_error(y, q),
    "median_absolute_error": m.median_absolute_error(y, q),
    "max_error": m.max_error(y, q),
}

# Four labels at once.
labels = random.random((800, 4)) < 0.3
scores = np.clip(labels * 0.3 + random.random((800, 4)) * 0.7, 0, 1)
kinds = ["cat", "dog", "car", "sky"]
frame = {f"label_{k}": labels[:, i].astype(int) for i, k in enumerate(kinds)}
# In another order than the labels.
frame |= {f"score_{k}": scores[:, i] for i, k in reversed(list(enumerate(kinds)))}
pd.DataFrame(frame).to_csv(f"{out}/labels.csv", index=False)
d = scores >= 0.5
expected["labels.csv"] = {
    "subset_accuracy": m.accuracy_score(labels, d),
    "hamming_loss": m.hamming_loss(labels, d),
    "f1_macro": m.f1_score(labels, d, average="macro"),
    "f1_samples": m.f1_score(labels, d, average="samples", zero_division=0),
    "roc_auc_macro": m.roc_auc_score(labels, scores),
}
json.dump(expected, open(f"{out}/expected.json", "w"))

# Intervals of 0.9 by numpy's own draws.
x, y = datasets.load_breast_cancer(return_X_y=True)
draws = random.integers(0, len(y), (2000, len(y)))
right, squared = (new >= 0.5) == y, (new - y) ** 2
drawn = {
    "accuracy": right[draws].mean(1),
    "brier": squared[draws].mean(1),
    "roc_auc": [m.roc_auc_score(y[d], new[d]) for d in draws[:1000]],
}
difference = {
    "accuracy": (right[draws].mean(1) - ((old >= 0.5) == y)[draws].mean(1)),
    "brier": (squared - (old - y) ** 2)[draws].mean(1),
}
interval = lambda values: list(np.quantile(values, [0.05, 0.95]))
intervals = [{k: interval(v) for k, v in of.items()} for of in (drawn, difference)]
json.dump(intervals, open(f"{out}/intervals.json", "w"))
