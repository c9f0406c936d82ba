"""Prints the scalars that both of TensorBoard's loaders read from a log directory, as JSON.

    read_log.py LOGDIR TAG...

    {"fast" or "slow": {run: {tag: [[step, value], ...]}}}

Fast is the data server, slow is the Python reader; each loads the directory once, whole, and keeps
every point. Only series with one of the tags are printed. A value that is not finite is a string.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

from tensorboard import context
from tensorboard.backend.event_processing import data_ingester
from tensorboard.data import grpc_provider, server_ingester
from tensorboard.util import grpc_util

# Nothing but scalars; 0 stands for all of them.
SAMPLES = {"scalars": 0, "histograms": 1, "images": 1, "text": 1}


def fast(logdir, read):
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
            return read(grpc_provider.GrpcDataProvider(address, stub))
        finally:
            server.kill()
            server.wait()


def slow(logdir, read):
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
    return read(ingester.data_provider)


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


views = {view.__name__: view(sys.argv[1], scalars) for view in (fast, slow)}
print(json.dumps(views))
