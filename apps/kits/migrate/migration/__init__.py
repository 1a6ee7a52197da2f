"""Carries an MLflow database from SQLite or a file store to PostgreSQL, with its artifacts."""
