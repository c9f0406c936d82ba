"""Prints what TensorBoard's reader makes of the run `all` of a log directory, as JSON.

    kinds.py LOGDIR

Pictures are read by Pillow, sounds by Python's own reader, messages by TensorBoard's.
"""

import io
import json
import sys
import wave

from google.protobuf import json_format, text_format
from PIL import Image, ImageSequence
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.compat.proto.config_pb2 import RunMetadata
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.mesh import metadata as mesh_metadata
from tensorboard.plugins.pr_curve import metadata as pr_metadata
from tensorboard.plugins.projector import projector_config_pb2
from tensorboard.util import tensor_util

found = plugin_event_multiplexer.EventMultiplexer()
found.AddRunsFromDirectory(sys.argv[1]).Reload()
message = json_format.MessageToDict


def picture(encoded):
    frames = [frame.copy() for frame in ImageSequence.Iterator(Image.open(io.BytesIO(encoded)))]
    if len(frames) > 1:
        return {"duration": frames[0].info["duration"], "frames": [list(f.convert("RGB").tobytes()) for f in frames]}
    return {"mode": frames[0].mode, "pixels": list(frames[0].tobytes()) if frames[0].width < 10 else frames[0].size}


def sound(encoded):
    with wave.open(io.BytesIO(encoded)) as clip:
        return [clip.getnchannels(), clip.getframerate(), list(clip.readframes(clip.getnframes()))]


def content(run, tag, plugin, data):
    array = tensor_util.make_ndarray(found.Tensors(run, tag)[-1].tensor_proto)
    if plugin == "images":
        return [picture(encoded) for encoded in array[2:]]
    if plugin == "audio":
        return [sound(encoded) for encoded in array.reshape(-1)]
    if plugin == "custom_scalars":
        return message(layout_pb2.Layout.FromString(array.reshape(-1)[0]))
    if plugin == "mesh":
        parsed = mesh_metadata.parse_plugin_metadata(data)
        return [parsed.name, parsed.json_config, parsed.components, array.tolist()]
    if plugin == "pr_curves":
        return [pr_metadata.parse_plugin_metadata(data).num_thresholds, array.tolist()]
    if plugin == "text":
        return array.item().decode()
    if plugin == "hparams":
        parse = {
            "_hparams_/experiment": hparams_metadata.parse_experiment_plugin_data,
            "_hparams_/session_start_info": hparams_metadata.parse_session_start_info_plugin_data,
            "_hparams_/session_end_info": hparams_metadata.parse_session_end_info_plugin_data,
        }
        said = message(parse[tag](data))
        return {key: value for key, value in said.items() if not key.endswith("Secs")}
    if plugin == "graph_tagged_run_metadata":
        return message(RunMetadata.FromString(array.reshape(-1)[0]))
    if plugin == "scalars":
        return array.item()
    return [data.decode(), str(array.dtype), array.tolist()]


shown = {}
for run, kinds in found.Runs().items():
    for tag in kinds["tensors"]:
        about = found.SummaryMetadata(run, tag)
        if about.plugin_data.plugin_name == "graphs":
            continue  # read below, node by node
        plugin, data = about.plugin_data.plugin_name, about.plugin_data.content
        shown[f"{run}/{tag}"] = [plugin, about.summary_description, content(run, tag, plugin, data)]
    if kinds["graph"]:
        shown[f"{run}/graph"] = [message(node) for node in found.Graph(run).node]

config = projector_config_pb2.ProjectorConfig()
with open(f"{sys.argv[1]}/all/projector_config.pbtxt") as file:
    text_format.Parse(file.read(), config)
shown["projector"] = []
for embedding in config.embeddings:
    texts = [open(f"{sys.argv[1]}/all/{path}").read() for path in (embedding.tensor_path, embedding.metadata_path)]
    sprite = picture(open(f"{sys.argv[1]}/all/{embedding.sprite.image_path}", "rb").read())
    shown["projector"].append([embedding.tensor_name, *texts, list(embedding.sprite.single_image_dim), sprite])
print(json.dumps(shown))
