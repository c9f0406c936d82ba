"""TensorBoard's two loaders: the data server, and its own Python.

Each loads a log directory once, whole, and keeps what `samples` says (0 for all) of every plugin.
"""

import argparse
import os
import subprocess
import tempfile

# Data servers are started while channels to earlier ones are there.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

from tensorboard.backend.event_processing import data_ingester
from tensorboard.data import grpc_provider, server_ingester
from tensorboard.util import grpc_util


def fast(logdir, samples, read, *more):
    """What `read` makes of the provider of a data server of its own, whose log says when the directory is loaded.

    `more` are further arguments of the server.
    """
    with tempfile.TemporaryDirectory() as directory:
        port_file = os.path.join(directory, "port")
        listed = ",".join(f"{k}={v or 'all'}" for k, v in samples.items())
        server = subprocess.Popen(
            [
                server_ingester.get_server_binary().path,
                f"--logdir={logdir}",
                f"--samples-per-plugin={listed}",
                f"--port-file={port_file}",
                "--port=0",
                "--reload=once",
                "--die-after-stdin",
                "--verbose",
                *more,
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
                raise RuntimeError("the data server did not load the log: " + "".join(said))
            with open(port_file) as file:
                address = f"localhost:{int(file.read())}"
            stub = server_ingester._make_stub(address, grpc_util.ChannelCredsType.LOCAL)
            return read(grpc_provider.GrpcDataProvider(address, stub))
        finally:
            server.kill()
            server.communicate()


def slow(logdir, samples, read):
    """What `read` makes of the provider of TensorBoard's Python."""
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
        samples_per_plugin=samples,
        generic_data="true",
        db="",
        detect_file_replacement=None,
        event_file="",
    )
    ingester = data_ingester.LocalDataIngester(flags)
    ingester.start()
    return read(ingester.data_provider)
