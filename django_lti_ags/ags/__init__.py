"""The wire: AGS 2.0 and its OAuth 2, without Django; usable in a plain script."""

from django_lti_ags.ags.client import Client, ScoreReceipt
from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.tokens import Credentials, MemoryTokenStore, Token, TokenStore
from django_lti_ags.ags.transport import Transport
from django_lti_ags.ags.types import LineItem, Result, Score

__all__ = [
    "Client",
    "Credentials",
    "Exchange",
    "Failure",
    "LineItem",
    "MemoryTokenStore",
    "Result",
    "Score",
    "ScoreReceipt",
    "Token",
    "TokenStore",
    "Transport",
]
