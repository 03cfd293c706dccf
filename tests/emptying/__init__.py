"""An app of the suite's own: after a test that commits, it empties the database sooner than Django does."""
