"""The registry of models and of prompts."""

from client.checks import Missing, check, paged, same


@check("registered model: versions, aliases, tags, changes", ("all", "short", "control"))
def life_of_model(s):
    name = f"mod {s.mark} ü"
    s.client.create_registered_model(name, tags={"x": "y"}, description="d")
    source = s.client.get_run(s.run).info.artifact_uri + "/m"
    version = s.client.create_model_version(name, source, s.run)
    same(version.source, source)
    s.client.set_registered_model_alias(name, "champion", version.version)
    s.client.set_model_version_tag(name, version.version, "k", "v")
    s.client.update_registered_model(name, description="d é")
    s.client.update_model_version(name, version.version, "dd")
    found = s.client.get_model_version_by_alias(name, "champion")
    same((str(found.version), found.description, found.tags["k"]), (str(version.version), "dd", "v"))
    same(s.client.get_model_version_download_uri(name, version.version), source)
    s.client.delete_model_version_tag(name, version.version, "k")
    s.client.delete_registered_model_alias(name, "champion")
    s.client.delete_model_version(name, version.version)
    s.client.delete_registered_model(name)


@check("search of models and versions, page by page", ("all", "control"))
def search_models(s):
    for number in range(5):
        s.client.create_registered_model(f"s{s.mark}-{number}")
    wanted = f"name LIKE 's{s.mark}%'"
    found = paged(lambda token: s.client.search_registered_models(wanted, max_results=2, page_token=token))
    same(len(found), 5)
    source = s.client.get_run(s.run).info.artifact_uri + "/m"
    for _ in range(3):
        s.client.create_model_version(f"s{s.mark}-0", source, s.run)
    versions = s.client.search_model_versions(f"name = 's{s.mark}-0'")
    same({it.source for it in versions}, {source})
    same(len(versions), 3)
    s.client.rename_registered_model(f"s{s.mark}-1", f"s{s.mark}-one")
    same(s.client.get_registered_model(f"s{s.mark}-one").name, f"s{s.mark}-one")


@check("prompts: registered, loaded, changed, given an alias", ("all", "control"))
def prompts(s):
    genai = getattr(s.mlflow, "genai", None)
    if genai is None or not hasattr(genai, "register_prompt"):
        raise Missing("mlflow.genai.register_prompt")
    name = f"prompt-{s.mark}"
    genai.register_prompt(name=name, template="hi {{x}}", commit_message="first")
    genai.register_prompt(name=name, template="hello {{x}} ü")
    same(genai.load_prompt(f"prompts:/{name}/1").format(x="1"), "hi 1")
    genai.set_prompt_alias(name, alias="live", version=2)
    same(genai.load_prompt(f"prompts:/{name}@live").format(x="1"), "hello 1 ü")
