//! Sends a request on to MLflow and its answer back, changing nothing but what a proxy has to change.
