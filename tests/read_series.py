"""Prints all series that both of TensorBoard's loaders read from a log directory, as JSON.

    read_series.py LOGDIR

    {"fast" or "slow": {run: {tag: [[step, value], ...]}}}

A value is a scalar's bits, or a checksum of whatever else it holds; where it was read from is no part of it. How a
session with hyperparameters ended is a value too, by its name.
Series whose tags begin with `time/` or `resource/` are left out: no two trainings have the same.
"""

import hashlib
import json
import struct
import sys

from tensorboard import context
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

from loaders import fast, slow

SAMPLES = {"scalars": 0, "histograms": 0, "images": 0, "text": 0, "graphs": 0}
SESSION_END = "_hparams_/session_end_info"
CONTEXT = context.RequestContext()
ALL = {"experiment_id": "x", "downsample": 10**9}


def checksum(data):
    return hashlib.sha256(data).hexdigest()[:16]


def scalar(provider, point):
    return struct.pack(">d", float(point.value)).hex()


def tensor(provider, point):
    array = point.numpy
    data = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
    return f"{list(array.shape)} {checksum(data)}"


def blobs(provider, point):
    read = lambda blob: provider.read_blob(CONTEXT, blob_key=blob.blob_key)
    return " ".join(checksum(read(blob)) for blob in point.values)


def series(provider):
    views = [(provider.read_scalars, "scalars", scalar)]
    views += [(provider.read_tensors, plugin, tensor) for plugin in ("histograms", "text")]
    views += [(provider.read_blob_sequences, plugin, blobs) for plugin in ("images", "graphs")]
    read = {}
    for reader, plugin, value in views:
        for run, tags in reader(CONTEXT, plugin_name=plugin, **ALL).items():
            for tag, points in tags.items():
                if not tag.startswith(("time/", "resource/")):
                    read.setdefault(run, {})[tag] = [
                        [point.step, value(provider, point)] for point in points
                    ]
    for run, tags in provider.list_tensors(CONTEXT, experiment_id="x", plugin_name="hparams").items():
        if SESSION_END in tags:
            read.setdefault(run, {})[SESSION_END] = [[0, status(tags[SESSION_END].plugin_content)]]
    return read


def status(content):
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    return api_pb2.Status.Name(data.session_end_info.status)


views = {view.__name__: view(sys.argv[1], SAMPLES, series) for view in (fast, slow)}
print(json.dumps(views))
