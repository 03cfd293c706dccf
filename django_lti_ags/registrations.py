"""What an operator decides about a registration."""

from django_lti_ags.sync.blocks import resume

__all__ = ["resume"]
