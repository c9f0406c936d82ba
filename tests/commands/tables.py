"""Reads tables back by foreign readers.

    tables.py READER PATH...

READER is pyarrow, duckdb, pandas (CSV) or json (JSON lines). Prints a JSON list with
{"columns", "rows"} of each; cells are strings: an integer in decimal, a number as the hex of its bits (any NaN as "nan"), a text as it is, null for an empty cell. A path
that is a directory is read as a table in partitions, whose columns come last.
"""

import json
import math
import os
import struct
import sys


def cell(value):
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, int):
        return str(value)
    return "nan" if math.isnan(value) else struct.pack(">d", value).hex()


def pyarrow(path):
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    if os.path.isdir(path):
        table = ds.dataset(path, partitioning="hive").to_table()
    else:
        table = pq.read_table(path)
        table.validate(full=True)
    names = table.column_names
    return names, [[row[name] for name in names] for row in table.to_pylist()]


def duckdb(path):
    import duckdb

    path = os.path.join(path, "*", "*.parquet") if os.path.isdir(path) else path
    found = duckdb.sql(f"select * from read_parquet('{path}')")
    return found.columns, found.fetchall()


def pandas(path):
    import pandas as pd

    # An empty cell and NaN are the same to pandas, but for texts, so columns of numbers are read as texts too.
    options = dict(keep_default_na=False)
    texts = pd.read_csv(path, dtype=str, **options)
    numbers = pd.read_csv(path, na_values={it: [""] for it in texts}, dtype={
        it: str for it in ("run", "tag", "plugin", "content", "file") if it in texts
    }, keep_default_na=True)
    rows = []
    for text, number in zip(texts.itertuples(index=False), numbers.itertuples(index=False)):
        row = []
        for name, as_text, as_number in zip(texts.columns, text, number):
            if as_text == "":
                row.append(None)
            elif name in ("run", "tag", "plugin", "content", "file"):
                row.append(as_text)
            else:
                row.append(as_number)
        rows.append(row)
    return list(texts.columns), rows


def json_lines(path):
    names, rows = [], []
    with open(path, encoding="utf-8") as lines:
        objects = [json.loads(line) for line in lines]
    for one in objects:
        names += [name for name in one if name not in names]
    for one in objects:
        row = []
        for name in names:
            value = one.get(name)
            if value in ("NaN", "Infinity", "-Infinity") and name not in ("run", "tag", "content"):
                value = float(value)
            row.append(value)
        rows.append(row)
    return names, rows


READERS = {"pyarrow": pyarrow, "duckdb": duckdb, "pandas": pandas, "json": json_lines}
found = []
for path in sys.argv[2:]:
    names, rows = READERS[sys.argv[1]](path)
    found.append({"columns": list(names), "rows": [[cell(it) for it in row] for row in rows]})
print(json.dumps(found))
