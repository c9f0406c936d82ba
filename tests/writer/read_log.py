"""Shows what both of TensorBoard's loaders read from log directories.

Each line on standard input names loaders, joined by a comma, and behind a space a log directory; the
answer is a line of JSON:

    {"fast" or "slow": {"scalars":    {run: {tag: [[step...], [value...]]}},
                        "histograms": {run: {tag: [[step...], [count of all buckets...]]}},
                        "ends":       {run: status of the session's end}}}

Fast is the data server, slow is the Python reader; each loads the directory once, whole, and keeps
every point. A value that is not finite is a string. The process ends with its input, so that many
directories cost one import of TensorBoard.
"""

import json
import logging
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from loaders import fast, slow
from tensorboard import context
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

# 0 stands for all.
SAMPLES = {"scalars": 0, "histograms": 0, "images": 1, "text": 1}
ALL = 10**9


def view(provider):
    where = dict(ctx=context.RequestContext(), experiment_id="x")
    scalars = provider.read_scalars(**where, plugin_name="scalars", downsample=ALL)
    histograms = provider.read_tensors(
        **where, plugin_name="histograms", downsample=ALL
    )
    hparams = provider.list_tensors(**where, plugin_name="hparams")
    return {
        "scalars": columns(scalars, lambda point: number(point.value)),
        "histograms": columns(
            histograms, lambda point: float(point.numpy[:, 2].sum())
        ),
        "ends": {
            run: status(tags["_hparams_/session_end_info"].plugin_content)
            for run, tags in hparams.items()
            if "_hparams_/session_end_info" in tags
        },
    }


def columns(runs, value):
    return {
        run: {
            tag: [[point.step for point in series], [value(point) for point in series]]
            for tag, series in tags.items()
        }
        for run, tags in runs.items()
    }


def number(value):
    return float(value) if math.isfinite(value) else str(value)


def status(content):
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    return api_pb2.Status.Name(data.session_end_info.status)


logging.disable(logging.ERROR)
for line in sys.stdin:
    names, logdir = line.rstrip("\n").split(" ", 1)
    loaders = {"fast": fast, "slow": slow}
    views = {name: loaders[name](logdir, SAMPLES, view) for name in names.split(",")}
    print(json.dumps(views), flush=True)
