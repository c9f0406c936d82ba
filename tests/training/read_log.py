"""Prints what TensorBoard reads from a log directory, as JSON.

    read_log.py LOGDIR

    {"runs": {run: {tag: {"plugin": name, "steps": [step...], "values": [value...]}}},
     "graphs": {run: number of nodes},
     "embeddings": {run: [{"name", "shape", "labels": lines, "picture": [width, height]}...]}}

A value is a number of a scalar, how many values a histogram counted, width and height of an image, the text, or
the shape of any other tensor. A number that is not finite is a string. The embeddings are read by the settings
that TensorBoard's projector reads.
"""

import json
import math
import os
import sys

from google.protobuf import text_format
from PIL import Image
from tensorboard.backend.event_processing import io_wrapper, plugin_event_accumulator
from tensorboard.plugins.projector import projector_config_pb2
from tensorboard.util import tensor_util


def value(plugin, tensor):
    array = tensor_util.make_ndarray(tensor)
    if plugin == "scalars":
        number = float(array)
        return number if math.isfinite(number) else str(number)
    if plugin == "histograms":
        return float(array[:, 2].sum())
    if plugin == "images":
        return [int(array[0]), int(array[1])]
    if plugin == "text":
        return array.item().decode()
    return list(array.shape)


def read(path):
    accumulator = plugin_event_accumulator.EventAccumulator(
        path, size_guidance={"tensors": 0}, tensor_size_guidance={}
    )
    # 0 stands for all.
    accumulator._tensor_size_guidance = {p: 0 for p in PLUGINS}
    accumulator.Reload()
    tags = {}
    for tag in accumulator.Tags()["tensors"]:
        plugin = accumulator.SummaryMetadata(tag).plugin_data.plugin_name
        events = accumulator.Tensors(tag)
        tags[tag] = {
            "plugin": plugin,
            "steps": [event.step for event in events],
            "values": [value(plugin, event.tensor_proto) for event in events],
        }
    nodes = len(accumulator.Graph().node) if accumulator.Tags()["graph"] else None
    return tags, nodes


def embeddings(path):
    settings = os.path.join(path, "projector_config.pbtxt")
    if not os.path.exists(settings):
        return []
    config = projector_config_pb2.ProjectorConfig()
    with open(settings) as file:
        text_format.Parse(file.read(), config)
    found = []
    for embedding in config.embeddings:
        entry = {"name": embedding.tensor_name}
        with open(os.path.join(path, embedding.tensor_path)) as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        entry["shape"] = [len(rows), len(rows[0])]
        if embedding.metadata_path:
            with open(os.path.join(path, embedding.metadata_path)) as file:
                entry["labels"] = file.read().splitlines()
        if embedding.sprite.image_path:
            with Image.open(os.path.join(path, embedding.sprite.image_path)) as picture:
                entry["picture"] = list(picture.size)
        found.append(entry)
    return found


PLUGINS = ["scalars", "histograms", "images", "text", "pr_curves", "hparams"]
logdir = sys.argv[1]
result = {"runs": {}, "graphs": {}, "embeddings": {}}
for path in io_wrapper.GetLogdirSubdirectories(logdir):
    run = os.path.relpath(path, logdir)
    result["runs"][run], nodes = read(path)
    if nodes is not None:
        result["graphs"][run] = nodes
    if found := embeddings(path):
        result["embeddings"][run] = found
print(json.dumps(result))
