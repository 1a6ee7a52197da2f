"""A team's program: logs a run with a file and reads it back, by what `.env.client` says."""

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

import mlflow

size = int(sys.argv[1])
folder = Path(tempfile.mkdtemp())
sent = folder / "größe ä.bin"
with open(sent, "wb") as file:
    block = os.urandom(1 << 20)
    for _ in range(size):
        file.write(block)
mlflow.set_experiment("kit")
with mlflow.start_run() as run:
    mlflow.log_param("epochs", 10)
    mlflow.log_metric("loss", 0.5, step=3)
    mlflow.log_artifact(sent, "model")
found = mlflow.get_run(run.info.run_id)
back = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=f"model/{sent.name}", dst_path=folder / "back")
same = hashlib.sha256(sent.read_bytes()).digest() == hashlib.sha256(Path(back).read_bytes()).digest()
print(json.dumps({"same": same, "param": found.data.params["epochs"], "at": found.info.artifact_uri}))
