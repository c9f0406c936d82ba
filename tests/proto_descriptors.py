"""Prints the messages and enumerations that TensorBoard declares, as JSON.

    {"messages": {name: {field: {"number", "type", "label", "packed", "oneof"}}},
     "enums": {name: {value: number}}}

Names are full names; the type of a field is the full name of its message or
enumeration, or else the name of the scalar type in the schema language.
"""

import importlib
import json

from google.protobuf import descriptor

MODULES = [
    "google.protobuf.struct_pb2",
    "tensorboard.compat.proto.attr_value_pb2",
    "tensorboard.compat.proto.config_pb2",
    "tensorboard.compat.proto.event_pb2",
    "tensorboard.compat.proto.graph_pb2",
    "tensorboard.compat.proto.histogram_pb2",
    "tensorboard.compat.proto.node_def_pb2",
    "tensorboard.compat.proto.step_stats_pb2",
    "tensorboard.compat.proto.summary_pb2",
    "tensorboard.compat.proto.tensor_description_pb2",
    "tensorboard.compat.proto.tensor_pb2",
    "tensorboard.compat.proto.tensor_shape_pb2",
    "tensorboard.compat.proto.types_pb2",
    "tensorboard.compat.proto.versions_pb2",
    "tensorboard.plugins.audio.plugin_data_pb2",
    "tensorboard.plugins.custom_scalar.layout_pb2",
    "tensorboard.plugins.histogram.plugin_data_pb2",
    "tensorboard.plugins.hparams.api_pb2",
    "tensorboard.plugins.hparams.plugin_data_pb2",
    "tensorboard.plugins.image.plugin_data_pb2",
    "tensorboard.plugins.mesh.plugin_data_pb2",
    "tensorboard.plugins.pr_curve.plugin_data_pb2",
    "tensorboard.plugins.projector.projector_config_pb2",
    "tensorboard.plugins.scalar.plugin_data_pb2",
    "tensorboard.plugins.text.plugin_data_pb2",
]

SCALARS = {
    getattr(descriptor.FieldDescriptor, "TYPE_" + name.upper()): name
    for name in (
        "double float int64 uint64 int32 fixed64 fixed32 bool string bytes "
        "uint32 sfixed32 sfixed64 sint32 sint64"
    ).split()
}


def describe(field):
    reference = field.message_type or field.enum_type
    return {
        "number": field.number,
        "type": reference.full_name if reference else SCALARS[field.type],
        "label": (
            "required"
            if field.is_required
            else "repeated" if field.is_repeated else "optional"
        ),
        "packed": field.is_packed,
        "oneof": field.containing_oneof.name if field.containing_oneof else None,
    }


messages = {}
enums = {}


def add_enum(enum):
    enums[enum.full_name] = {value.name: value.number for value in enum.values}


def add_message(message):
    messages[message.full_name] = {
        field.name: describe(field) for field in message.fields
    }
    for nested in message.nested_types:
        add_message(nested)
    for enum in message.enum_types:
        add_enum(enum)


for name in MODULES:
    file = importlib.import_module(name).DESCRIPTOR
    for message in file.message_types_by_name.values():
        add_message(message)
    for enum in file.enum_types_by_name.values():
        add_enum(enum)

print(json.dumps({"messages": messages, "enums": enums}))
