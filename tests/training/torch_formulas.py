"""Writes torch_formulas.json: what PyTorch makes of fixed inputs, in double precision.

    python torch_formulas.py > torch_formulas.json

Needs PyTorch, which the tests do not: its numbers are stored. Written by Debian's python3-torch
1.13.1; the formulas are those of the documentation of torch.optim, torch.optim.lr_scheduler and
torch.nn.utils.clip_grad_value_ and clip_grad_norm_.
"""

import json
import warnings

import torch
from torch.optim import lr_scheduler as schedulers

warnings.simplefilter("ignore")


def rates(lr, make, count):
    """The learning rate of each of `count` steps."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = make(optimizer)
    series = []
    for _ in range(count):
        series.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return series


def plateau(lr, values, **settings):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = schedulers.ReduceLROnPlateau(optimizer, **settings)
    series = []
    for value in values:
        scheduler.step(value)
        series.append(optimizer.param_groups[0]["lr"])
    return series


def warm(optimizer):
    rise = schedulers.LinearLR(optimizer, start_factor=0.1, end_factor=1.0, total_iters=7)
    fall = schedulers.ExponentialLR(optimizer, 0.9)
    return schedulers.SequentialLR(optimizer, [rise, fall], milestones=[7])


METRIC = [1.0, 0.8, 0.81, 0.8, 0.79999, 0.9, 0.7, 0.72, float("nan"), 0.71, 0.7, 0.69, 0.69, 0.69, 0.69]
METRIC += [0.69] * 15

PARAMETERS = {"a": [[0.5, -1.25, 2.0], [0.0, 3.0, -0.125]], "b": [1.0, -2.0]}


def gradients(step):
    """Fixed, different at each step, of both signs, some of them 0."""
    a = [[((step * 7 + i * 3 + j * 5) % 11 - 5) / 4 for j in range(3)] for i in range(2)]
    b = [((step * 5 + i * 4) % 7 - 3) * 1e-3 for i in range(2)]
    return {"a": a, "b": b}


def trajectory(make, missing, steps=12, halve_at=8):
    """The parameters after each step; at the step `missing`, `b` has no gradient."""
    parameters = {
        name: torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))
        for name, values in PARAMETERS.items()
    }
    optimizer = make(parameters.values())
    series = []
    for step in range(steps):
        if step == halve_at:
            optimizer.param_groups[0]["lr"] /= 2
        for name, gradient in gradients(step).items():
            if name == "b" and step == missing:
                parameters[name].grad = None
            else:
                parameters[name].grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        series.append({name: p.detach().flatten().tolist() for name, p in parameters.items()})
    return series


def clipped(clip):
    parameters = {
        name: torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))
        for name, values in PARAMETERS.items()
    }
    for name, gradient in gradients(3).items():
        parameters[name].grad = torch.tensor(gradient, dtype=torch.float64)
    norm = clip(parameters.values())
    return {
        "norm": None if norm is None else float(norm),
        "gradients": {name: p.grad.flatten().tolist() for name, p in parameters.items()},
    }


def adamw(**settings):
    # Where one is missing, PyTorch counts the steps of each parameter, candle those of the optimizer.
    return trajectory(lambda parameters: torch.optim.AdamW(parameters, **settings), None)


def sgd(**settings):
    return trajectory(lambda parameters: torch.optim.SGD(parameters, **settings), 4)


utils = torch.nn.utils
print(
    json.dumps(
        {
            "source": f"PyTorch {torch.__version__}, tests/training/torch_formulas.py",
            "schedules": {
                "step": rates(0.3, lambda o: schedulers.StepLR(o, 4, 0.3), 20),
                "exponential": rates(0.3, lambda o: schedulers.ExponentialLR(o, 0.93), 20),
                "cosine": rates(
                    0.3, lambda o: schedulers.CosineAnnealingWarmRestarts(o, 7, 1, 0.01), 30
                ),
                "cosine_growing": rates(
                    0.3, lambda o: schedulers.CosineAnnealingWarmRestarts(o, 3, 2, 0.0), 40
                ),
                "cosine_once": rates(0.3, lambda o: schedulers.CosineAnnealingLR(o, 20), 20),
                "warm_up": rates(0.3, warm, 20),
                "one_cycle": rates(
                    0.3, lambda o: schedulers.OneCycleLR(o, 0.3, total_steps=37), 37
                ),
                "one_cycle_shaped": rates(
                    0.3,
                    lambda o: schedulers.OneCycleLR(
                        o, 0.3, total_steps=20, pct_start=0.55, div_factor=4, final_div_factor=50
                    ),
                    20,
                ),
            },
            "metric": [str(value) for value in METRIC],
            "plateaus": {
                "min_relative": plateau(0.3, METRIC, factor=0.5, patience=2),
                "min_absolute": plateau(
                    0.3, METRIC, factor=0.5, patience=1, threshold=0.05, threshold_mode="abs"
                ),
                "max_cooldown": plateau(
                    0.3, METRIC, mode="max", factor=0.1, patience=1, cooldown=3, min_lr=1e-4
                ),
            },
            "parameters": PARAMETERS,
            "gradients": [gradients(step) for step in range(12)],
            "optimizers": {
                "adamw": adamw(lr=0.05),
                "adamw_set": adamw(lr=0.02, betas=(0.8, 0.99), eps=1e-4, weight_decay=0.3),
                "sgd": sgd(lr=0.05),
                "sgd_decay": sgd(lr=0.05, weight_decay=0.1),
                "sgd_momentum": sgd(lr=0.05, momentum=0.9),
                "sgd_dampened": sgd(lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.1),
                "sgd_nesterov": sgd(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
            },
            "clipping": {
                "value": clipped(lambda p: utils.clip_grad_value_(p, 0.3)),
                "norm": clipped(lambda p: utils.clip_grad_norm_(p, 0.5)),
                "norm_wide": clipped(lambda p: utils.clip_grad_norm_(p, 1e3)),
            },
        }
    )
)
