"""The outbox and what drives it: record, claim, send, finish."""
