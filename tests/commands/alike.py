"""Whether TensorBoard's two loaders read pairs of log directories alike.

On standard input is a JSON list of [name, logdir, copy, damaged]. Of a damaged log the loaders see the part before
the damage only, so each of its series must be within that of the copy, in its order; any other must be equal to it:
runs, start times, tags, plugins, descriptions, steps, wall times, values to the last bit.

Prints {"pairs": [{"name", "loader", "problem" or null, "values"}]}. Where a loader fails on the whole log, each of its runs
is read by itself, as TensorBoard does not; a run on which it fails says so in "skipped".
"""

import hashlib
import json
import logging
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from loaders import fast, slow
from tensorboard import context

PLUGINS = (
    "scalars images histograms distributions audio text pr_curves mesh hparams custom_scalars graphs "
    "graph_run_metadata graph_run_metadata_graph graph_keras_model"
).split()
SAMPLES = {plugin: 0 for plugin in PLUGINS}
CTX = context.RequestContext()
ALL = 10**9


def view(provider):
    where = dict(ctx=CTX, experiment_id="x")
    runs = {
        run.run_name: repr(run.start_time) for run in provider.list_runs(**where)
    }
    series = {}
    for plugin in sorted({*provider.list_plugins(**where), *PLUGINS}):
        kinds = (
            (provider.list_scalars, provider.read_scalars, scalar),
            (provider.list_tensors, provider.read_tensors, tensor),
            (provider.list_blob_sequences, provider.read_blob_sequences, lambda it: blobs(provider, it)),
        )
        for kind, (names, read, value) in enumerate(kinds):
            listed = names(**where, plugin_name=plugin)
            points = read(**where, plugin_name=plugin, downsample=ALL)
            for run, tags in listed.items():
                for tag, about in tags.items():
                    series[repr((run, tag, plugin, kind))] = {
                        "about": [about.description, about.display_name, about.plugin_content.hex()],
                        "points": [
                            [it.step, repr(it.wall_time), value(it)]
                            for it in points.get(run, {}).get(tag, [])
                        ],
                    }
    return {"runs": runs, "series": series}


def scalar(point):
    return struct.pack("<d", point.value).hex()


def tensor(point):
    array = point.numpy
    content = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
    return [str(array.dtype), list(array.shape), hashlib.sha256(content).hexdigest()]


def blobs(provider, point):
    return [
        hashlib.sha256(provider.read_blob(ctx=CTX, blob_key=it.blob_key)).hexdigest()
        for it in point.values
    ]


def checked(logdir, samples, read):
    """Without this, the data server shows a value as truth whose checksum says otherwise."""
    return fast(logdir, samples, read, "--checksum")


def compare(old, new, damaged):
    """The first difference, if there is one."""
    if not damaged and old["runs"] != new["runs"]:
        return f"runs {old['runs']} | {new['runs']}"
    if not damaged and old["series"].keys() != new["series"].keys():
        return f"series {sorted(old['series'].keys() ^ new['series'].keys())}"
    for name, series in old["series"].items():
        other = new["series"].get(name)
        if other is None:
            return f"series {name} is missing"
        if series["about"] != other["about"]:
            return f"{name}: {series['about']} | {other['about']}"
        if damaged:
            rest = iter(other["points"])
            missing = next((it for it in series["points"] if it not in rest), None)
            if missing is not None:
                return f"{name}: {missing} is missing or out of order"
        elif series["points"] != other["points"]:
            pairs = zip(series["points"], other["points"])
            apart = next((it for it in pairs if it[0] != it[1]), None)
            counts = len(series["points"]), len(other["points"])
            return f"{name}: counts {counts}, first apart {apart}"
    return None


def runs_of(logdir):
    for directory, _, files in os.walk(logdir):
        if any("tfevents" in name for name in files):
            yield os.path.relpath(directory, logdir)


def pairs(loader, name, old, new, damaged):
    try:
        before = loader(old, SAMPLES, view)
    except Exception as error:
        runs = sorted(runs_of(old))
        if runs == ["."]:
            yield {"name": name, "problem": None, "values": 0, "skipped": str(error)[:200]}
            return
        for run in runs:
            parts = [os.path.join(part, run) for part in (old, new)]
            yield from pairs(loader, f"{name}/{run}", *parts, damaged)
        return
    after = loader(new, SAMPLES, view)
    values = sum(len(series["points"]) for series in before["series"].values())
    yield {"name": name, "problem": compare(before, after, damaged), "values": values}


logging.disable(logging.CRITICAL)
found = []
for pair in json.load(sys.stdin):
    for name, loader in (("fast", checked), ("slow", slow)):
        found += [{"loader": name, **it} for it in pairs(loader, *pair)]
print(json.dumps({"pairs": found}))
