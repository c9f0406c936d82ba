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

import argparse
import json
import logging
import math
import os
import subprocess
import sys
import tempfile

# Data servers are started while channels to earlier ones are there.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

from tensorboard import context
from tensorboard.backend.event_processing import data_ingester
from tensorboard.data import grpc_provider, server_ingester
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.util import grpc_util

# 0 stands for all.
SAMPLES = {"scalars": 0, "histograms": 0, "images": 1, "text": 1}
ALL = 10**9


def fast(logdir):
    """Reads by a data server of its own, whose log says when the directory is loaded."""
    with tempfile.TemporaryDirectory() as directory:
        port_file = os.path.join(directory, "port")
        samples = ",".join(f"{k}={v or 'all'}" for k, v in SAMPLES.items())
        server = subprocess.Popen(
            [
                server_ingester.get_server_binary().path,
                f"--logdir={logdir}",
                f"--samples-per-plugin={samples}",
                f"--port-file={port_file}",
                "--port=0",
                "--reload=once",
                "--die-after-stdin",
                "--verbose",
            ],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            said = []
            for line in server.stderr:
                said.append(line)
                if "Finished load cycle" in line:
                    break
            else:
                sys.exit("the data server did not load the log: " + "".join(said))
            with open(port_file) as file:
                address = f"localhost:{int(file.read())}"
            stub = server_ingester._make_stub(
                address, grpc_util.ChannelCredsType.LOCAL
            )
            return view(grpc_provider.GrpcDataProvider(address, stub))
        finally:
            server.kill()
            server.wait()


def slow(logdir):
    flags = argparse.Namespace(
        logdir=logdir,
        logdir_spec="",
        path_prefix="",
        reload_interval=0,  # load once, before start() returns
        reload_multifile=False,
        reload_multifile_inactive_secs=0,
        purge_orphaned_data=True,
        max_reload_threads=1,
        reload_task="blocking",
        window_title="",
        samples_per_plugin=SAMPLES,
        generic_data="true",
        db="",
        detect_file_replacement=None,
        event_file="",
    )
    ingester = data_ingester.LocalDataIngester(flags)
    ingester.start()
    return view(ingester.data_provider)


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
    views = {name: {"fast": fast, "slow": slow}[name](logdir) for name in names.split(",")}
    print(json.dumps(views), flush=True)
