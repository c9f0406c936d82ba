"""No argument: print tensorboardX's version. WORK POOL SHAPE DIR N: print the seconds that N values take.

POOL is a file of values of SHAPE, one behind the other: bytes for images, 32-bit floats for audio and
histograms. The time is from the first call until the writer is closed, with no import and no reading.
"""

import sys
import time

import numpy
import tensorboardX

if len(sys.argv) == 1:
    print(tensorboardX.__version__)
    sys.exit()

work, pool, shape, directory, count = sys.argv[1:]
shape = [int(size) for size in shape.split("x")]
numbers = numpy.fromfile(pool, dtype="uint8" if work in ("images", "drawings") else "float32")
values = numbers.reshape(-1, *shape)
writer = tensorboardX.SummaryWriter(directory)
if work == "audio":
    import soundfile  # which tensorboardX would import within the time

    def add(step, value):
        writer.add_audio("value", value, step, sample_rate=44100)

elif work == "histograms":

    def add(step, value):
        writer.add_histogram("value", value, step)

else:
    import PIL.Image  # likewise

    def add(step, value):
        writer.add_image("value", value, step, dataformats="HWC")


began = time.perf_counter()
for step in range(int(count)):
    add(step, values[step % len(values)])
writer.close()
print(time.perf_counter() - began)
