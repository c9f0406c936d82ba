"""MODULE: print its version. MODULE WORK DIR: print the seconds, and for a table the MiB above the data, of one computation on one core."""

import os
import resource
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

module, arguments = sys.argv[1], sys.argv[2:]


def column(name, kind=np.float64):
    return np.fromfile(os.path.join(arguments[1], name), dtype=kind)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if module == "scipy":
    import scipy
    from scipy import stats

    version = scipy.__version__

    def run(work):
        a, b = column("before"), column("after")
        stats.ks_2samp(a[:1000], b[:1000])
        began = time.perf_counter()
        answer = stats.ks_2samp(a, b)
        return time.perf_counter() - began, answer.statistic, answer.pvalue

elif module == "evidently":
    import evidently
    import pandas
    from evidently import Report
    from evidently.presets import DataDriftPreset

    version = evidently.__version__

    def run(work):
        names = np.array(list("abcdefgh"))
        tables = []
        for side in ("before", "after"):
            numbers = column(f"{side}_numbers").reshape(15, -1)
            kinds = column(f"{side}_kinds", np.uint8).reshape(5, -1)
            table = {f"n{at}": values for at, values in enumerate(numbers)}
            table |= {f"c{at}": names[values] for at, values in enumerate(kinds)}
            tables.append(pandas.DataFrame(table))
        before, after = tables
        # Lazy imports do not count.
        Report([DataDriftPreset()]).run(after[:1000], before[:1000]).dict()
        data = peak()
        began = time.perf_counter()
        answer = Report([DataDriftPreset()]).run(after, before).dict()
        seconds = time.perf_counter() - began
        return seconds, peak() - data, answer["metrics"][0]["value"]["count"]

else:
    import river
    from river import drift
    from river.drift import binary

    version = river.__version__

    def run(work):
        values = column("stream" if work == "KSWIN" else "errors").tolist()
        make = {
            "ADWIN": drift.ADWIN,
            "Page-Hinkley": drift.PageHinkley,
            "KSWIN": lambda: drift.KSWIN(seed=0),
            "HDDM-A": binary.HDDMA,
        }
        # As many as take a second or so; the time is scaled up.
        some = values[: {"KSWIN": 5_000, "HDDM-A": 100_000}.get(work, 300_000)]
        update = make[work]().update
        began = time.perf_counter()
        for value in some:
            update(value)
        return ((time.perf_counter() - began) * len(values) / len(some),)


if not arguments:
    print(version)
else:
    print(*(float(answer) for answer in run(arguments[0])))
