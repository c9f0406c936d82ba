"""MODULE: print the version of a writer. MODULE DIR N: print the seconds that it takes to log N scalars.

The time includes closing, and no import; tags and steps are those of the other contenders.
"""

import sys
import time

module, arguments = sys.argv[1], sys.argv[2:]
tags = [f"train/loss_{index}" for index in range(10)]

if module == "tensorboardX":
    import tensorboardX as package

    def start(directory):
        writer = package.SummaryWriter(directory)
        return writer, writer.add_scalar

else:
    import tensorboard as package
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    def start(directory):
        writer = EventFileWriter(directory)

        def add(tag, value, step):
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))

        return writer, add


if not arguments:
    print(package.__version__)
else:
    writer, add = start(arguments[0])
    began = time.perf_counter()
    for index in range(int(arguments[1])):
        add(tags[index % 10], index * 0.001, index // 10)
    writer.close()
    print(time.perf_counter() - began)
