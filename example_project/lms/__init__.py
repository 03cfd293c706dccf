"""A small simulated LMS with pages: a course, people who log in, a quiz to launch, a gradebook."""
