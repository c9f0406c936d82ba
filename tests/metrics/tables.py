"""Fits models to scikit-learn's real tables and prints, in the form of the reference cases, what scikit-learn says of them."""

import json

import numpy as np
from sklearn import datasets, metrics
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn


def split(load):
    x, y = load(return_X_y=True)
    return train_test_split(x, y, test_size=0.5, random_state=0)


def classifier(load):
    # Hardly any fitting, so that there are errors to count.
    train, test, y_train, y = split(load)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.001))
    return y, model.fit(train, y_train).predict_proba(test)


def averages(y, predicted, **more):
    of = metrics.precision_recall_fscore_support
    for average in ("macro", "micro", "weighted"):
        values = of(y, predicted, average=average, zero_division=0, **more)[:3]
        for name, value in zip(("precision", "recall", "f1"), values):
            yield f"{name}_{average}", value
        yield f"jaccard_{average}", metrics.jaccard_score(y, predicted, average=average)


def calibration(y, scores, bins):
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.searchsorted(edges[1:-1], scores)
    gaps = [(sum(place == b), abs(y[place == b].mean() - scores[place == b].mean())) for b in set(place)]
    return {
        "ece": sum(count * gap for count, gap in gaps) / len(y),
        "mce": max(gap for _, gap in gaps),
    }


def binary(name, load):
    y, proba = classifier(load)
    scores, threshold = proba[:, 1], 0.5
    predicted = (scores >= threshold).astype(int)
    fpr, tpr, thresholds = metrics.roc_curve(y, scores, drop_intermediate=False)
    precision, recall, cuts = metrics.precision_recall_curve(y, scores)
    return {
        "id": name,
        "input": {"y_true": y, "score": scores, "threshold": threshold},
        "expected": {
            "confusion_matrix": metrics.confusion_matrix(y, predicted),
            "accuracy": metrics.accuracy_score(y, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, predicted),
            "precision_zd0": metrics.precision_score(y, predicted),
            "recall_zd0": metrics.recall_score(y, predicted),
            "f1_zd0": metrics.f1_score(y, predicted),
            "f0.5": metrics.fbeta_score(y, predicted, beta=0.5),
            "specificity": metrics.recall_score(y, predicted, pos_label=0),
            "jaccard": metrics.jaccard_score(y, predicted),
            "mcc": metrics.matthews_corrcoef(y, predicted),
            "cohen_kappa": metrics.cohen_kappa_score(y, predicted),
            "hamming_loss": metrics.hamming_loss(y, predicted),
            "log_loss": metrics.log_loss(y, scores),
            "brier": metrics.brier_score_loss(y, scores),
            "roc_auc": metrics.roc_auc_score(y, scores),
            "roc_auc_max_fpr_0.1": metrics.roc_auc_score(y, scores, max_fpr=0.1),
            "average_precision": metrics.average_precision_score(y, scores),
            "pr_auc_trapezoid": metrics.auc(recall, precision),
            "ece_uniform_15": calibration(y, scores, 15),
            "roc_curve": {"fpr": fpr, "tpr": tpr, "thresholds": thresholds},
            "pr_curve": {"precision": precision, "recall": recall, "thresholds": cuts},
        },
    }


def multiclass(name, load):
    y, proba = classifier(load)
    predicted = proba.argmax(axis=1)
    classes = range(proba.shape[1])
    auc = metrics.roc_auc_score
    return {
        "id": name,
        "input": {"y_true": y, "proba": proba, "labels": list(classes)},
        "expected": {
            "pred": predicted,
            "confusion_matrix": metrics.confusion_matrix(y, predicted),
            "accuracy": metrics.accuracy_score(y, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, predicted),
            **dict(averages(y, predicted)),
            "mcc": metrics.matthews_corrcoef(y, predicted),
            "cohen_kappa_none": metrics.cohen_kappa_score(y, predicted),
            "cohen_kappa_quadratic": metrics.cohen_kappa_score(y, predicted, weights="quadratic"),
            "log_loss": metrics.log_loss(y, proba),
            "top_2_accuracy": metrics.top_k_accuracy_score(y, proba, k=2),
            "roc_auc_ovr_macro": auc(y, proba, multi_class="ovr"),
            "roc_auc_ovr_weighted": auc(y, proba, multi_class="ovr", average="weighted"),
            "roc_auc_ovr_micro": auc(y, proba, multi_class="ovr", average="micro"),
            "roc_auc_ovo_macro": auc(y, proba, multi_class="ovo"),
            "roc_auc_ovo_weighted": auc(y, proba, multi_class="ovo", average="weighted"),
            "roc_auc_per_class": [auc(y == c, proba[:, c]) for c in classes],
            "average_precision_per_class": [
                metrics.average_precision_score(y == c, proba[:, c]) for c in classes
            ],
            "ece_top_label_15": calibration(predicted == y, proba.max(axis=1), 15),
        },
    }


def regression(name, load):
    train, test, y_train, y = split(load)
    predicted = LinearRegression().fit(train, y_train).predict(test)
    of = {
        "mae": metrics.mean_absolute_error,
        "mse": metrics.mean_squared_error,
        "rmse": metrics.root_mean_squared_error,
        "median_ae": metrics.median_absolute_error,
        "mape": metrics.mean_absolute_percentage_error,
        "msle": metrics.mean_squared_log_error,
        "r2": metrics.r2_score,
        "explained_variance": metrics.explained_variance_score,
        "d2_absolute_error": metrics.d2_absolute_error_score,
        "poisson_deviance": metrics.mean_poisson_deviance,
        "gamma_deviance": metrics.mean_gamma_deviance,
        "max_error": metrics.max_error,
        "pinball_0.9": lambda y, p: metrics.mean_pinball_loss(y, p, alpha=0.9),
    }
    return {
        "id": name,
        "input": {"y_true": y, "y_pred": predicted},
        "expected": {metric: score(y, predicted) for metric, score in of.items()},
    }


def plain(value):
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: plain(value) for key, value in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(value) for value in value]
    if isinstance(value, np.generic):
        value = value.item()
    return "Infinity" if value == float("inf") else value


print(
    json.dumps(
        {
            "version": sklearn.__version__,
            "binary": [plain(binary("breast cancer", datasets.load_breast_cancer))],
            "multiclass": [
                plain(multiclass("wine", datasets.load_wine)),
                plain(multiclass("digits", datasets.load_digits)),
            ],
            "regression": [plain(regression("diabetes", datasets.load_diabetes))],
        },
        allow_nan=False,
    )
)
