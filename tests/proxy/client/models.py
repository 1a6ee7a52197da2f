"""Models: logged, registered, found and loaded."""

from client.checks import Missing, check, same


def log(s, name, **more):
    """Logs a small model and gives what the client says of it. The argument of the name has changed with MLflow 3."""

    class Twice(s.mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return [2 * it for it in model_input]

    named = {"name": name} if hasattr(s.mlflow, "create_external_model") else {"artifact_path": name}
    return s.mlflow.pyfunc.log_model(**named, python_model=Twice(), pip_requirements=["mlflow"], **more)


def predict(s, uri):
    return list(s.mlflow.pyfunc.load_model(uri).unwrap_python_model().predict(None, [1, 2]))


@check("model logged and loaded", ("all", "short"))
def logged(s):
    with s.mlflow.start_run(experiment_id=s.experiment):
        model = log(s, "model")
    s.model = model
    same(predict(s, model.model_uri), [2, 4])


@check("model registered and loaded by version and by alias")
def registered(s):
    name = f"loaded-{s.mark}"
    with s.mlflow.start_run(experiment_id=s.experiment):
        log(s, "model", registered_model_name=name)
    s.client.set_registered_model_alias(name, "live", 1)
    same(predict(s, f"models:/{name}/1"), [2, 4])
    same(predict(s, f"models:/{name}@live"), [2, 4])


@check("logged models: got, searched, tagged, their files listed")
def logged_models(s):
    if not hasattr(s.client, "search_logged_models"):
        raise Missing("search_logged_models")
    identifier = s.model.model_id
    s.client.set_logged_model_tags(identifier, {"a b": "ü"})
    model = s.client.get_logged_model(identifier)
    same(model.tags["a b"], "ü")
    same(model.artifact_location.split(":")[0], "mlflow-artifacts")
    found = s.client.search_logged_models([s.experiment], max_results=50)
    assert identifier in [it.model_id for it in found], "the model is not found"
    if hasattr(s.client, "list_logged_model_artifacts"):
        assert "MLmodel" in [it.path for it in s.client.list_logged_model_artifacts(identifier)]
