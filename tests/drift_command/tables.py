"""Writes tables of real data, some of them shifted, as other tools write them, and what scipy says of them."""

import json
import sys

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

out = sys.argv[1]
random = np.random.default_rng(11)


def halves(frame):
    order = random.permutation(len(frame))
    half = len(frame) // 2
    return frame.iloc[order[:half]].reset_index(drop=True), frame.iloc[order[half:]].reset_index(drop=True)


# Real data, and a shifted copy: one feature moved, one with holes.
for name in ["wine", "breast_cancer"]:
    frame = getattr(datasets, f"load_{name}")(as_frame=True).data
    frame.to_csv(f"{out}/{name}.csv", index=False)
    a, b = halves(frame)
    a.to_csv(f"{out}/{name}_a.csv", index=False)
    b.to_csv(f"{out}/{name}_b.csv", index=False)
    moved = b.copy()
    first, second = frame.columns[0], frame.columns[5]
    moved[first] += frame[first].std()
    moved.loc[random.random(len(moved)) < 0.3, second] = np.nan
    moved.to_csv(f"{out}/{name}_moved.csv", index=False)

# Every kind of column, in every format.
def mixed(rows, shift):
    return pd.DataFrame({
        "id": np.arange(rows),
        "amount": np.round(random.gamma(2.0, 10.0, rows) * (1 + shift), 3),
        "age": random.integers(18, 90, rows),
        "country": random.choice(["fr", "de", "日本", "it, south"], rows, p=[0.4, 0.3, 0.2, 0.1]),
        "member": random.random(rows) < 0.3 + shift,
        "income": np.where(random.random(rows) < 0.05 + shift / 2, np.nan, random.normal(30, 5, rows)),
        "seen": pd.date_range("2026-01-01", periods=rows, freq="min"),
    })


for side, shift in [("a", 0.0), ("b", 0.3)]:
    frame = mixed(900, shift)
    base = f"{out}/mixed_{side}"
    frame.to_csv(f"{base}.csv", index=False)
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), f"{base}.arrow.parquet")
    duckdb.sql(f"COPY frame TO '{base}.duck.parquet' (FORMAT parquet)")
    duckdb.sql(f"COPY frame TO '{base}.jsonl' (FORMAT json)")
    for at, shard in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[shard].to_csv(f"{base}.{at}.csv", index=False)
    globals()[side] = frame

expected = {"ks": {}, "chi2": {}, "psi": {}, "nannyml": {}}
for name in ["amount", "age", "income"]:
    x, y = a[name].dropna().to_numpy(float), b[name].dropna().to_numpy(float)
    test = stats.ks_2samp(x, y)
    expected["ks"][name] = [test.statistic, test.pvalue]
    edges = np.unique(np.quantile(x, np.arange(1, 10) / 10))
    shares = [np.bincount(np.searchsorted(edges, v, "left"), minlength=len(edges) + 1) / len(v) for v in (x, y)]
    p, q = [np.where(s == 0, 1e-4, s) for s in shares]
    expected["psi"][name] = float(np.sum((p - q) * np.log(p / q)))
    # NannyML's bins, and its ten chunks.
    edges = np.histogram_bin_edges(x, "doane")
    counts = lambda v: np.append(np.histogram(v, edges)[0], len(v) - np.histogram(v, edges)[0].sum())
    chunks = [v[~np.isnan(v)] for v in np.array_split(b[name].to_numpy(float), 10)]
    expected["nannyml"][name] = max(jensenshannon(counts(x), counts(v), base=2) for v in chunks)
for name in ["country", "member"]:
    table = pd.crosstab(pd.concat([a[name], b[name]]), np.repeat([0, 1], [len(a), len(b)]))
    test = stats.chi2_contingency(table, correction=False)
    expected["chi2"][name] = [test.statistic, test.pvalue]
with open(f"{out}/expected.json", "w") as file:
    json.dump(expected, file)

# A classifier: the reference with labels; later data, with and without, of which more are hard to tell.
cancer = datasets.load_breast_cancer(as_frame=True)
inputs, label = cancer.data.iloc[:, :5], cancer.target
order = random.permutation(len(label))
train, held = order[:200], order[200:]
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs.iloc[train], label[train])
def scored(rows, noise):
    shown = inputs.iloc[rows] + random.normal(size=(len(rows), 5)) * inputs.std().to_numpy() * noise
    return shown.assign(score=model.predict_proba(shown)[:, 1], label=label[rows])

scored(random.choice(held, 1500), 0.3).to_parquet(f"{out}/scored_a.parquet", index=False)
pool = scored(random.choice(held, 20_000), 0.3)
hard = 1 / (0.05 + (pool.score - 0.5).abs())
later = pool.sample(800, weights=hard, random_state=1)
later.to_parquet(f"{out}/scored_b.parquet", index=False)
later.drop(columns="label").to_parquet(f"{out}/unlabelled_b.parquet", index=False)

# The digits that `modelpulse train` knows, as it sees them.
digits = datasets.load_digits()
pixels = digits.data[random.permutation(len(digits.data))[:500]] / 16
names = [f"pixel_{at}" for at in range(64)]
pd.DataFrame(pixels, columns=names).to_csv(f"{out}/digits.csv", index=False)
noisy = np.clip(pixels + random.normal(0, 0.3, pixels.shape), 0, 1)
pd.DataFrame(noisy, columns=names).to_parquet(f"{out}/noisy.parquet")

# Twenty columns.
wide = lambda shift: pd.DataFrame({f"column_{at:02}": random.normal(at, 1 + at / 10, 3000) + shift * (at % 3 == 0) for at in range(16)} | {
    f"kind_{at}": random.choice(list("abcdefghijklmnop"), 3000) for at in range(4)})
wide(0.0).to_parquet(f"{out}/wide_a.parquet")
wide(0.5).to_parquet(f"{out}/wide_b.parquet")
