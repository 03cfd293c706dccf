"""A part of a path that may hold anything: servers decode the path before Django sees it, slashes and line breaks too."""


class AnythingConverter:
    """At least one character, whichever."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        """As it came."""
        return value

    def to_url(self, value: str) -> str:
        """As it is; Django encodes it."""
        return value
