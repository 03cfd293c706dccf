"""An example: a quiz tool, a small simulated LMS, and a command that runs both."""
