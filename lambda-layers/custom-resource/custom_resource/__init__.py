"""What every function behind a custom resource does: read the event, keep the time, and answer whatever happens."""
