//! What `modelpulse log --help` says of the lines, with one for each kind.

pub(super) const SHORT: &str = r#"A line, with its reserved keys, of which only the numbers must be there:
  {"step": 1, "wall_time": 1700000000.5, "run": "train", "loss": 0.3, "accuracy": 0.9}

Any other kind: {"step": 1, "tag": …, KIND: …}; --help shows a line for each.

Examples:
  python train.py | modelpulse log --name first

Then: tensorboard --logdir runs"#;

pub(super) const LONG: &str = r#"Reserved keys of a line:
  "step"       a whole number; without it, one more than the last one (of the same "run"), from 0 on
  "wall_time"  seconds since 1970; without it, now
  "run"        a directory below the run's own, such as "train"; without it, the run's own

Kinds, one a line, beside a "tag"; "step" and the others go with each:
  {"tag": "loss", "value": 0.3, "description": "*nats*"}     any kind takes a description, in Markdown
  {"tag": "loss", "scalars": {"train": 0.3, "eval": 0.4}}    in one chart, on the page Custom Scalars
  {"tag": "note", "text": "*Markdown*"}
  {"tag": "layers", "table": [["name", "size"], ["fc", 64]]} or [{"name": "fc", "size": 64}, …]
  {"tag": "w", "histogram": [0.1, 0.2, 0.7]}
  {"tag": "w", "buckets": [[0, 1, 12], [1, 2, 5]]}           left, right, count
  {"tag": "img", "image": "a.png"}                           a PICTURE, see below
  {"tag": "img", "image": "a.png", "boxes": [{"box": [9, 9, 40, 60], "label": "cat", "score": 0.9}]}
  {"tag": "img", "images": ["a.png", "b.png"]}               side by side, of one size
  {"tag": "batch", "grid": ["a.png", "b.png"], "columns": 8, "padding": 2, "background": 0}
  {"tag": "clip", "animation": [[[0, 9]], [[9, 0]]], "fps": 4}   PICTURES, or a GIF file
  {"tag": "tone", "audio": [0, 0.5, -0.5], "rate": 16000}    or [[left …], [right …]]; or a WAV file
  {"tag": "pr", "pr_curve": [0.9, 0.2], "labels": [1, 0], "weights": [1, 2], "thresholds": 201}
  {"tag": "pr", "pr_curve": {"true_positives": [2, 1], "false_positives": [2, 0],
                             "true_negatives": [0, 2], "false_negatives": [0, 1]}}
  {"tag": "roc", "roc": [0.9, 0.2], "labels": [1, 0]}        or "roc": {"a": [0.9, 0.2], "b": [0.5, 0.1]}
  {"tag": "cal", "reliability": [0.9, 0.2], "labels": [1, 0], "bins": 10}
  {"tag": "cm", "confusion": [[8, 2], [1, 9]], "classes": ["cat", "dog"]}
  {"tag": "cm", "confusion": ["cat", "cat"], "labels": ["cat", "dog"], "classes": ["cat", "dog"]}
  {"tag": "scan", "mesh": [[0, 0, 0], [1, 0, 0], [0, 1, 0]], "faces": [[0, 1, 2]],
                  "colors": [[255, 0, 0], [0, 255, 0], [0, 0, 255]], "config": {"camera": {…}}}
  {"tag": "words", "embedding": [[0, 1], [1, 0]], "metadata": {"word": ["a", "b"]}, "sprite": [PICTURE, …]}
  {"tag": "mine", "tensor": [[1, 2], [3, 4]], "plugin": "my_plugin", "dtype": "int64", "content": "…"}
  {"tag": "batch 9", "run_metadata": [{"node": "fc/Layer", "time": 1e-4, "memory": {"cpu": 4096}}]}

Kinds that a run has once, without a tag:
  {"hparams": {"lr": 0.1, "opt": "sgd"}, "metrics": ["eval/acc"], "domains": {"lr": {"min": 0.01, "max": 1}}}
      with "run", one of several sessions of an experiment; domains also {"opt": ["sgd", "adam"]},
      metrics also {"tag": "eval/acc", "display_name": "accuracy", "measured_on": "validation"}
  {"session_end": "success"}                                 or "failure", "unknown"
  {"layout": {"losses": {"both": ["loss/train", "loss/eval"],
                         "band": {"value": "loss", "lower": "low", "upper": "high"},
                         "norms": {"matching": ["grad/.*"]}}}}
  {"graph": [{"name": "x", "op": "Input"}, {"name": "fc", "op": "MatMul", "inputs": ["x"]}]}
  {"graph": {"parameters": {"fc.weight": [10, 64], "fc.bias": [10]}}}

A PICTURE is a PNG, JPEG or GIF file by its path; {"base64": "…"} of one; or pixels, height × width (× channels),
whole from 0 to 255 or else from 0 to 1: [[0, 255], [128, 7]]; or {"pixels": …, "layout": "chw", "max": 16}.

Examples:
  python train.py | modelpulse log --name first
  python train.py --resume | modelpulse log --name first --resume
  jq -c '{step: .epoch, "eval/loss": .val_loss}' history.json | modelpulse log --split-runs

Then: tensorboard --logdir runs"#;
