#!/usr/bin/env python3
"""A training loop in Python, of the standard library alone, that modelpulse logs through a pipe.

    python3 examples/pipe.py | modelpulse log --name pipe
    tensorboard --logdir runs

The loop prints one JSON object a line to standard output; what is for people goes to standard error.
"""

import json
import math
import random
import sys


def log(**values):
    """One event. Flushed, so that it is seen while the loop runs."""
    print(json.dumps(values), flush=True)


def main():
    rate, steps = 0.1, 200
    rng = random.Random(42)
    # Points of y = 2x + 1, some way off it.
    points = [(x, 2 * x + 1 + rng.gauss(0, 0.1)) for x in (rng.random() for _ in range(100))]
    train, held_out = points[:80], points[80:]
    slope = intercept = 0.0

    def errors(points):
        return [slope * x + intercept - y for x, y in points]

    def loss(points):
        return sum(error**2 for error in errors(points)) / len(points)

    log(hparams={"rate": rate, "optimizer": "sgd"}, metrics=["eval/loss"])
    for step in range(steps):
        batch = rng.sample(train, 16)
        gradients = [(error * x, error) for error, (x, _) in zip(errors(batch), batch)]
        slope -= rate * sum(by_slope for by_slope, _ in gradients) / len(batch)
        intercept -= rate * sum(by_intercept for _, by_intercept in gradients) / len(batch)
        log(step=step, **{"train/loss": loss(batch), "eval/loss": loss(held_out)})
        if step % 20 == 0:
            log(step=step, tag="eval/errors", histogram=errors(held_out))
    found = f"y = {slope:.2f} x + {intercept:.2f}, off by {math.sqrt(loss(held_out)):.2f}"
    log(step=steps, tag="result", text=f"`{found}`")
    print(found, file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit("whoever read the pipe is gone")
