"""READER: print the version of a reader. READER DIR: print the seconds it takes to read all of DIR, how many values it
found, and how many MiB it held at the most (0 where it is not a process of its own).

Nothing is sampled, and importing is not counted. The data server is read to the end of its first load cycle.
"""

import os
import re
import subprocess
import sys
import tempfile
import time

reader, arguments = sys.argv[1], sys.argv[2:]


def runs(directory):
    found = os.walk(directory)
    return [path for path, _, names in found if any("tfevents" in name for name in names)]


def server(directory):
    import grpc
    import tensorboard_data_server
    from tensorboard.data.proto import data_provider_pb2 as messages
    from tensorboard.data.proto import data_provider_pb2_grpc as services

    port_file = tempfile.mktemp()
    command = [tensorboard_data_server.server_binary(), "--logdir", directory, "--port", "0"]
    command += ["--port-file", port_file, "--reload", "once", "--verbose"]
    command += ["--samples-per-plugin", "scalars=all,images=all"]
    began = time.perf_counter()
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for line in child.stderr:
            if "Finished load cycle" in line:
                break
        seconds = time.perf_counter() - began
        with open(f"/proc/{child.pid}/status") as status:
            peak = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024
        with open(port_file) as port:
            options = [("grpc.max_receive_message_length", -1)]
            channel = grpc.insecure_channel(f"localhost:{int(port.read())}", options=options)
        stub, count = services.TensorBoardDataProviderStub(channel), 0
        for run in [run.name for run in stub.ListRuns(messages.ListRunsRequest()).runs]:
            scalars = messages.ReadScalarsRequest()
            images = messages.ReadBlobSequencesRequest()
            for request, plugin in (scalars, "scalars"), (images, "images"):
                request.plugin_filter.plugin_name = plugin
                request.downsample.num_points = 1 << 40
                request.run_tag_filter.runs.names.append(run)
            for found in stub.ReadScalars(scalars).runs:
                count += sum(len(tag.data.value) for tag in found.tags)
            for found in stub.ReadBlobSequences(images).runs:
                count += sum(len(tag.data.values) for tag in found.tags)
    finally:
        child.kill()
        child.wait()
        os.unlink(port_file)
    return seconds, count, peak


def accumulator(directory):
    from tensorboard.backend.event_processing import event_accumulator as module

    began = time.perf_counter()
    keep = {kind: 0 for kind in module.DEFAULT_SIZE_GUIDANCE}
    read = [module.EventAccumulator(run, size_guidance=keep) for run in runs(directory)]
    count = 0
    for one in read:
        one.Reload()
        for tags, points in (one.Tags()["scalars"], one.Scalars), (one.Tags()["tensors"], one.Tensors):
            count += sum(len(points(tag)) for tag in tags)
    return time.perf_counter() - began, count, 0


def frames(directory):
    from tbparse import SummaryReader

    began = time.perf_counter()
    columns = {"dir_name", "wall_time"}
    found = SummaryReader(directory, event_types={"scalars", "tensors"}, extra_columns=columns)
    count = len(found.scalars) + len(found.tensors)
    return time.perf_counter() - began, count, 0


if reader == "data-server":
    import tensorboard_data_server as package

    package.server_binary()
    read = server
elif reader == "EventAccumulator":
    import tensorboard as package

    read = accumulator
else:
    import tbparse as package

    read = frames

if not arguments:
    from importlib.metadata import version

    print(version(package.__name__.replace("_", "-")))
else:
    print(*read(*arguments))
