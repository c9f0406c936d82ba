"""Prints the scalars that both of TensorBoard's loaders read from a log directory, as JSON.

    read_log.py LOGDIR TAG...

    {"fast" or "slow": {run: {tag: [[step, value], ...]}}}

Fast is the data server, slow is the Python reader; each loads the directory once, whole, and keeps
every point. Only series with one of the tags are printed. A value that is not finite is a string.
"""

import json
import math
import sys

from tensorboard import context

from loaders import fast, slow

# Nothing but scalars; 0 stands for all of them.
SAMPLES = {"scalars": 0, "histograms": 1, "images": 1, "text": 1}


def scalars(provider):
    runs = provider.read_scalars(
        context.RequestContext(),
        experiment_id="x",
        plugin_name="scalars",
        downsample=10**9,
    )
    return {
        run: {
            tag: [[point.step, number(point.value)] for point in series]
            for tag, series in tags.items()
            if tag in sys.argv[2:]
        }
        for run, tags in runs.items()
    }


def number(value):
    return float(value) if math.isfinite(value) else str(value)


views = {view.__name__: view(sys.argv[1], SAMPLES, scalars) for view in (fast, slow)}
print(json.dumps(views))
