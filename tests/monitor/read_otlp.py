"""Reads a request of OTLP metrics from standard input with OpenTelemetry's own messages, and prints it as JSON.

Doubles are printed as their bits, so that nothing of them is lost.
"""

import gzip
import json
import struct
import sys

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags


def bits(value):
    return struct.unpack(">Q", struct.pack(">d", value))[0]


def attributes(pairs):
    found = {}
    for pair in pairs:
        assert pair.value.WhichOneof("value") == "string_value", pair
        assert pair.key and pair.key not in found, pair
        found[pair.key] = pair.value.string_value
    return found


def point(kind, it):
    read = {
        "attributes": attributes(it.attributes),
        "start": it.start_time_unix_nano,
        "time": it.time_unix_nano,
        "no_value": bool(it.flags & DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK),
    }
    if kind in ("gauge", "sum"):
        one = it.WhichOneof("value")
        read["value"] = bits(it.as_double) if one == "as_double" else None
    else:
        read["count"] = it.count
        read["sum"] = bits(it.sum)
    if kind == "histogram":
        assert it.HasField("sum") != read["no_value"]
        assert read["no_value"] or len(it.bucket_counts) == len(it.explicit_bounds) + 1
        assert sum(it.bucket_counts) == it.count
        read["bounds"] = list(it.explicit_bounds)
        read["buckets"] = list(it.bucket_counts)
    return read


request = ExportMetricsServiceRequest()
request.ParseFromString(gzip.decompress(sys.stdin.buffer.read()))
read = []
for of in request.resource_metrics:
    for scope in of.scope_metrics:
        assert scope.scope.name == "modelpulse"
        for metric in scope.metrics:
            kind = metric.WhichOneof("data")
            data = getattr(metric, kind)
            one = {
                "resource": attributes(of.resource.attributes),
                "name": metric.name,
                "description": metric.description,
                "unit": metric.unit,
                "kind": kind,
                "points": [point(kind, it) for it in data.data_points],
            }
            if kind in ("sum", "histogram"):
                one["temporality"] = AggregationTemporality.Name(data.aggregation_temporality)
            if kind == "sum":
                one["monotonic"] = data.is_monotonic
            read.append(one)
known = ExportMetricsServiceRequest()
known.CopyFrom(request)
known.DiscardUnknownFields()
assert len(known.SerializeToString()) == len(request.SerializeToString()), "there are unknown fields"
json.dump(read, sys.stdout)
