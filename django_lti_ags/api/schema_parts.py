"""What the API's description is put together from: serializers that say what stands on the wire.

They describe, and neither read nor render: requests are checked in :mod:`~django_lti_ags.api.fields` and its like, whose messages name
each mistake, and answers are plain dicts. The tests hold every answer that they see against its serializer's schema.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, ClassVar, Final, get_args, get_origin, get_type_hints

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import fields
from rest_framework.serializers import Serializer

PREFIX: Final = "Lti"
"""Of components' names, so that they meet no other ones where a project describes all of its addresses; our own description has none."""


class Shape(Serializer):
    """An object on the wire."""

    further: ClassVar[Any] = False
    """The schema of what stands under other names; False: there are none."""
    example: ClassVar[Any] = None
    either: ClassVar[tuple[type[Shape], ...]] = ()
    """It is one of these."""


class Listing(Shape):
    """A page of ours."""

    next = fields.CharField(required=False, help_text="There are more: the cursor of the next page.")


class Explained(Shape):
    """Something that has a code, and what to do about it."""

    code = fields.CharField()
    advice = fields.CharField()


class _ShapeSchema(OpenApiSerializerExtension):
    target_class = Shape
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        """The component's."""
        return PREFIX + type(self.target).__name__

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """As of any serializer, and what is true of further fields."""
        if self.target.either:
            return {"oneOf": [auto_schema.resolve_serializer(one, direction).ref for one in self.target.either]}
        told = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001 - as its base class does
        return {**told, "additionalProperties": self.target.further}


@extend_schema_field({"type": "number", "minimum": 0, "exclusiveMinimum": True})
class Positive(fields.FloatField):
    """A number above 0."""


class CanvasId(fields.Field):
    """Canvas' number of something, as text or as it is."""


class _CanvasIdSchema(OpenApiSerializerFieldExtension):
    target_class = CanvasId

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Anew each time: drf-spectacular below 0.30 adds null to a shared one."""
        return {"oneOf": [{"type": "string"}, {"type": "integer"}]}


@extend_schema_field({})
class Anything(fields.Field):
    """Whatever JSON has."""


def one_of(name: str, values: Iterable[str]) -> Any:
    """A field with one of these texts; a component of its own: two enums of one property would want a setting of the project's."""
    field = type(name, (fields.CharField,), {})
    return extend_schema_field({"type": "string", "enum": list(values)}, component_name=PREFIX + name)(field)


def counts(name: str, said: str, of: Iterable[str], *, further: Any = False) -> Any:
    """A shape with a number for each of these."""
    return type(name, (Shape,), {"__doc__": said, "further": further, **{one: fields.IntegerField() for one in of}})


_PLAIN: Final[dict[Any, Any]] = {
    str: fields.CharField,
    bool: fields.BooleanField,
    int: fields.IntegerField,
    float: fields.FloatField,
    datetime: fields.DateTimeField,
}


@cache
def shape_of(kind: Any) -> Any:
    """The shape of a typed answer, a dataclass."""
    hints = get_type_hints(kind, localns={"datetime": datetime})
    return type(kind.__name__, (Shape,), {"__doc__": kind.__doc__, **{name: _field(hint) for name, hint in hints.items()}})


def _field(hint: Any, **more: Any) -> Any:
    if hint in _PLAIN:
        return _PLAIN[hint](**more)
    if get_origin(hint) is tuple:
        one = get_args(hint)[0]
        return fields.ListField(child=_field(one)) if one in _PLAIN else shape_of(one)(many=True)
    if NoneType in get_args(hint):
        (one,) = set(get_args(hint)) - {NoneType}
        return _field(one, allow_null=True)
    return shape_of(hint)(**more)
