"""Runs the example: the tool, the LMS and the worker, as processes that end with the one that started them."""
