"""The base of the plan's tables and the types of their values."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict

from cockpit.planfile import scalars
from cockpit.planfile.scalars import Limit

Duration = Annotated[
    timedelta,
    BeforeValidator(scalars.duration),
    WithJsonSchema({"type": "string", "pattern": scalars.DURATION_PATTERN}),
]
When = Annotated[
    Limit, PlainValidator(scalars.limit), WithJsonSchema({"type": "string", "pattern": scalars.LIMIT_PATTERN})
]
Wave = Annotated[
    int | str,
    PlainValidator(scalars.wave),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": scalars.WAVE_PATTERN},
                {"const": "rest"},
            ]
        }
    ),
]
Var = Annotated[
    str,
    BeforeValidator(scalars.variable),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
]


def _schema(schema: JsonDict, model: type[Any]) -> None:
    """Required keys have a default in the model, so that one missing key doesn't hide the next mistake."""
    if model.needs:
        schema["required"] = list(model.needs)
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for name in model.needs:
            entry = properties[name]
            if isinstance(entry, dict):
                entry.pop("default", None)


class Table(BaseModel):
    """A table of the plan. `needs` are the keys it can't do without, `written` is how its header reads."""

    # Built with the whole plan, once; by itself, each table would be built a second time at every start.
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, defer_build=True, json_schema_extra=_schema
    )
    needs: ClassVar[tuple[str, ...]] = ()
    written: ClassVar[str] = ""
