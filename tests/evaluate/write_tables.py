"""Writes the same rows in every format that other tools write, and what they are as JSON."""

import datetime as dt
import decimal
import gzip
import json
import sys
import uuid

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

out = sys.argv[1]
utc = dt.timezone.utc
rows = 2500
random = np.random.default_rng(7)


def column(kind, make):
    """Values of one column; every seventh is null."""
    return kind, [None if i % 7 == 3 else make(i) for i in range(rows)]


moment = dt.datetime(2026, 7, 1, 8, 0, 0, 250000, tzinfo=utc)
columns = {
    "flag": column("Bool", lambda i: bool(i % 3)),
    "count": column("Int", lambda i: int(i * i - 1000)),
    "score": column("Float", lambda i: float(random.normal())),
    "word": column("Text", lambda i: f'w{i % 11}, "é"\n' if i % 5 == 0 else f"w{i % 11}"),
    "when": column("Timestamp", lambda i: moment + dt.timedelta(minutes=i)),
}
micros = lambda time: (time - dt.datetime(1970, 1, 1, tzinfo=utc)) // dt.timedelta(microseconds=1)
plain = {
    name: [micros(v) if isinstance(v, dt.datetime) else v for v in values]
    for name, (_, values) in columns.items()
}
expected = {}


def said(file, names=tuple(columns), **others):
    expected[file] = {n: {"kind": columns[n][0], "values": plain[n]} for n in names} | others


# Parquet, by Arrow: codecs, row groups, pages, encodings, versions.
table = pa.table({name: values for name, (_, values) in columns.items()})
for number, options in enumerate(
    [
        {"compression": "snappy"},
        {"compression": "zstd", "row_group_size": 300},
        {"compression": "gzip", "use_dictionary": False, "data_page_version": "2.0"},
        {"compression": "lz4", "data_page_size": 500, "write_batch_size": 50},
        {"compression": "none", "version": "1.0"},
        {"use_dictionary": False, "column_encoding": {"count": "DELTA_BINARY_PACKED", "score": "BYTE_STREAM_SPLIT", "word": "DELTA_BYTE_ARRAY"}},
    ]
):
    pq.write_table(table, f"{out}/arrow{number}.parquet", **options)
    said(f"arrow{number}.parquet")
pq.write_table(table, f"{out}/int96.parquet", use_deprecated_int96_timestamps=True)
said("int96.parquet")
duckdb.register("arrow", table)
duckdb.sql(f"COPY arrow TO '{out}/duckdb.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
said("duckdb.parquet")

# Every type that has a meaning here.
kinds = pa.table(
    {
        "i8": pa.array([1, None, -3], pa.int8()),
        "u16": pa.array([1, None, 65535], pa.uint16()),
        "u32": pa.array([1, None, 4294967295], pa.uint32()),
        "u64": pa.array([1, None, 9223372036854775807], pa.uint64()),
        "f32": pa.array([0.5, None, float("inf")], pa.float32()),
        "f16": pa.array([np.float16(0.5), None, np.float16(-2)], pa.float16()),
        "decimal": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-0.75")], pa.decimal128(20, 2)),
        "small_decimal": pa.array([decimal.Decimal("1.2"), None, decimal.Decimal("-0.7")], pa.decimal128(5, 1)),
        "date": pa.array([dt.date(1970, 1, 2), None, dt.date(1969, 12, 31)]),
        "ms": pa.array([1, None, -1], pa.timestamp("ms")),
        "ns": pa.array([1500, None, -1500], pa.timestamp("ns")),
        "category": pa.array(["a", None, "b"]).dictionary_encode(),
        "uuid": pa.array([uuid.UUID(int=1).bytes, None, uuid.UUID(int=2).bytes], pa.uuid()),
        "inner": pa.array([{"x": 1}, None, {"x": 3}], pa.struct([("x", pa.int64())])),
        "list": pa.array([[1], None, [2, 3]]),
        "nothing": pa.array([None, None, None], pa.string()),
    }
)
pq.write_table(kinds, f"{out}/kinds.parquet")

# Lists of three scores, of which some are null, as is one score; and others of two numbers. What is of no fixed length is no column.
third = lambda i, k: None if i % 7 == 3 or (i, k) == (5, 1) else (i * 3 + k) / 8192
second = lambda i: None if i % 5 == 1 else i
lists = pa.table(
    {
        "score": pa.array([None if i % 7 == 3 else [third(i, k) for k in range(3)] for i in range(rows)], pa.list_(pa.float32())),
        "fixed": pa.FixedSizeListArray.from_arrays(pa.array([second(i) for i in range(2 * rows)], pa.int32()), 2),
        "ragged": [[0.5] * (i % 4) for i in range(rows)],
        "words": [["a", "b"]] * rows,
        "pairs": pa.array([[("a", 1)]] * rows, pa.map_(pa.string(), pa.int64())),
    }
)
pq.write_table(lists, f"{out}/lists.parquet", row_group_size=700)
of = lambda kind, *values: {"kind": kind, "values": list(values)}
expected["kinds.parquet"] = {
    "i8": of("Int", 1, None, -3),
    "u16": of("Int", 1, None, 65535),
    "u32": of("Int", 1, None, 4294967295),
    "u64": of("Int", 1, None, 9223372036854775807),
    "f32": of("Float", 0.5, None, "inf"),
    "f16": of("Float", 0.5, None, -2.0),
    "decimal": of("Float", 1.25, None, -0.75),
    "small_decimal": of("Float", 1.2, None, -0.7),
    "date": of("Timestamp", 86400000000, None, -86400000000),
    "ms": of("Timestamp", 1000, None, -1000),
    "ns": of("Timestamp", 1, None, -2),
    "category": of("Text", "a", None, "b"),
    "uuid": of("Text", str(uuid.UUID(int=1)), None, str(uuid.UUID(int=2))),
    "inner.x": of("Int", 1, None, 3),
    "nothing": of("Text", None, None, None),
}

expected["lists.parquet"] = {
    f"score_{k}": of("Float", *(third(i, k) for i in range(rows))) for k in range(3)
} | {f"fixed_{k}": of("Int", *(second(i) for i in range(k, 2 * rows, 2))) for k in range(2)}

# CSV, by pandas and by DuckDB.
frame = pd.DataFrame({name: pd.array(values, dtype="object") for name, (_, values) in columns.items()})
frame.to_csv(f"{out}/pandas.csv", index=False)
frame.to_csv(f"{out}/pandas.tsv", index=False, sep="\t", na_rep="NA")
frame.to_csv(f"{out}/pandas.csv.gz", index=False, sep=";", lineterminator="\r\n")
with open(f"{out}/bom.csv", "wb") as file:
    file.write(b"\xef\xbb\xbf" + open(f"{out}/pandas.csv", "rb").read())
duckdb.sql(f"COPY arrow TO '{out}/duckdb.csv' (HEADER)")
for file in ["pandas.csv", "pandas.csv.gz", "bom.csv", "duckdb.csv"]:
    said(file)
# Where nothing is said by a word, texts have that word.
said("pandas.tsv", [name for name in columns if name != "word"])

# JSON lines, by Python; numbers that JSON lacks are written bare.
text = "".join(
    json.dumps({n: v.isoformat() if isinstance(v, dt.datetime) else v for n, v in zip(columns, row) if v is not None or n != "flag"}) + "\n"
    for row in zip(*(values for _, values in columns.values()))
)
open(f"{out}/python.jsonl", "w").write(text)
gzip.open(f"{out}/python.jsonl.gz", "wt").write(text)
said("python.jsonl")
said("python.jsonl.gz")
lines = [
    {"user": {"id": 1}, "score": [0.25, 0.75], "x": float("nan")},
    {"user": {"id": None}, "score": [float("-inf"), 1], "x": 1},
]
open(f"{out}/nested.jsonl", "w").write("\n".join(map(json.dumps, lines)))
expected["nested.jsonl"] = {
    "user.id": of("Int", 1, None),
    "score_0": of("Float", 0.25, "-inf"),
    "score_1": of("Float", 0.75, 1.0),
    "x": of("Float", "NaN", 1.0),
}
json.dump(expected, open(f"{out}/expected.json", "w"))
