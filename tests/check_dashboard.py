"""Reads a Grafana dashboard with Grafana's own models of its schema, and says what they do not take.

What a model does not know is lost when it is written again; what has another type is told by the model's own hints.
"""

import enum
import json
import sys
import types
import typing

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard


def lost(given, kept, path):
    """Where `given` has what `kept` has not, or has otherwise."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from lost(value, kept[key], f"{path}.{key}")
            elif value is not None:
                yield f"{path}.{key}: not in the schema"
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for at, (one, other) in enumerate(zip(given, kept)):
            yield from lost(one, other, f"{path}[{at}]")
    elif given != kept:
        yield f"{path}: {given!r} became {kept!r}"


def fits(value, hint):
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, argument) for argument in arguments)
    if origin is list:
        return isinstance(value, list) and all(fits(one, arguments[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(one, arguments[1]) for one in value.values())
    if origin is typing.Literal:
        return value in arguments
    if hint is object or hint is typing.Any or getattr(hint, "_is_protocol", False):
        return True
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return value in [member.value for member in hint]
    return isinstance(value, hint) if isinstance(hint, type) else True


def mistyped(value, path):
    """Attributes of models that are not of the type that the model says."""
    if isinstance(value, list):
        for at, one in enumerate(value):
            yield from mistyped(one, f"{path}[{at}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from mistyped(one, f"{path}.{key}")
    elif type(value).__module__.startswith("grafana_foundation_sdk.models") and not isinstance(value, enum.Enum):
        model = sys.modules[type(value).__module__]
        for name, hint in typing.get_type_hints(type(value), vars(model)).items():
            own = getattr(value, name, None)
            if not fits(own, hint):
                yield f"{path}.{name}: {own!r} is no {hint}"
            yield from mistyped(own, f"{path}.{name}")


def main():
    given = json.load(open(sys.argv[1]))
    register_default_plugins()
    read = dashboard.Dashboard.from_json(given)
    kept = json.loads(json.dumps(read, cls=JSONEncoder))
    problems = [*lost(given, kept, "dashboard"), *mistyped(read, "dashboard")]
    for problem in problems:
        print(problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
