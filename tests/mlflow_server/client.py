"""A user of MLflow without an identity of AWS: logs a run with files and a model, and reads all of it back."""

import os
from pathlib import Path

import mlflow


class Doubled(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[int]) -> list[int]:
        return [2 * it for it in model_input]


def main():
    mlflow.set_experiment("by a client")
    note, large = Path("note.txt"), Path("large.bin")
    note.write_text("what was found")
    large.write_bytes(os.urandom(8 * 1024 * 1024))
    with mlflow.start_run() as run:
        mlflow.log_param("alpha", 0.5)
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_artifact(note, "notes")
        mlflow.log_artifact(large)
        model = mlflow.pyfunc.log_model(name="model", python_model=Doubled(), registered_model_name="doubled")
    found = mlflow.search_runs(experiment_names=["by a client"])
    assert list(found["metrics.loss"]) == [1 / 3], found
    back = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path="back"))
    assert (back / "notes/note.txt").read_text() == "what was found"
    assert (back / "large.bin").read_bytes() == large.read_bytes()
    assert mlflow.pyfunc.load_model(model.model_uri).predict([1, 2]) == [2, 4]
    assert mlflow.pyfunc.load_model("models:/doubled/1").predict([3]) == [6]


main()
