"""The quiz: the example tool."""
