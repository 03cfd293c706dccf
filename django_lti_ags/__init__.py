"""Durable grade passback for LTI 1.3 Advantage tools: record a score in your own transaction; it reaches the gradebook."""

__version__ = "0.1.0.dev0"
