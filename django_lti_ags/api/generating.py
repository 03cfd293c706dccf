"""Makes the API's description from its views, with drf-spectacular: for ``openapi.json``, which is kept in the package and served as it is.

Not while requests are answered: drf-spectacular's settings are one object for the whole process, and patching them is not safe under
threads: another thread's document is made by ours meanwhile, and whoever ends last puts back what the other had patched. A file is also
the same whatever a project sets, and shows each change of the API where it is reviewed. The tests hold it against the views.
"""

from __future__ import annotations

import json
from typing import Any, Final

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from django_lti_ags.api.schema_parts import PREFIX

_INTRODUCTION: Final = """Grades for tools in any language: LTIAAS' surface, and below `/api/sync` what became of scores.

Scores are recorded durably and delivered by a worker; line items and results are asked of the platform while you wait."""
_SETTINGS: Final = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "django_lti_ags",
    "DESCRIPTION": _INTRODUCTION,
    "VERSION": "",
    "SCHEMA_PATH_PREFIX": "/api/",
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "POSTPROCESSING_HOOKS": [],
}


class Undescribed(Exception):
    """drf-spectacular had to guess."""


def generated() -> dict[str, Any]:
    """The description, but for what is told where it is served: the version, and where the API is.

    Raises:
        Undescribed: a view does not say enough.
    """
    with patched_settings(_SETTINGS), GENERATOR_STATS.silence():
        told = SchemaGenerator(urlconf="django_lti_ags.api.urls").get_schema(public=True)
    if GENERATOR_STATS:
        raise Undescribed("\n".join([*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]))  # noqa: SLF001 - its own check reads them
    ref = "#/components/schemas/"
    plain: dict[str, Any] = json.loads(json.dumps(told).replace(ref + PREFIX, ref))
    schemas = plain["components"]["schemas"]
    plain["components"]["schemas"] = {name.removeprefix(PREFIX): schema for name, schema in schemas.items()}
    plain["components"]["responses"] = _named_once(plain["paths"])
    return plain


def _named_once(paths: dict[str, Any]) -> dict[str, Any]:
    """The errors, which are the same everywhere: each address refers to them."""
    errors: dict[str, Any] = {}
    for answers in (operation["responses"] for methods in paths.values() for operation in methods.values()):
        for status in [status for status in answers if not status.startswith("2")]:
            name = "Error" if status == "default" else f"Error{status}"
            if errors.setdefault(name, answers[status]) != answers[status]:
                raise Undescribed(f"{status} is said in two ways.")
            answers[status] = {"$ref": f"#/components/responses/{name}"}
    return errors
