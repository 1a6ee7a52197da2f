"""Files: up, listed, down and deleted, with names of every kind, in both directions unchanged."""

import hashlib
import os
import tempfile
from pathlib import Path

from client.checks import check, same

# MLflow's own client cannot send %, # and ? in names, whatever server it asks: those are told by the wire tests.
NAMES = [
    "plain.txt", "sp ace.txt", "ünï-日本.txt", "pl+us.txt", "amp&eq=.txt", "semi;colon,.txt", "quo'te(1)!*~@$.txt",
    "br[ack]{et}.txt", "..dots..txt", ".hidden", "UPPER lower.TXT", "a" * 180 + ".txt",
]  # fmt: skip


def folder():
    return Path(tempfile.mkdtemp())


def down(s, run, path):
    return Path(s.client.download_artifacts(run, path, str(folder())))


def paths(s, run, path=None):
    return sorted(it.path for it in s.client.list_artifacts(run, path))


@check("file up, listed and down", ("all", "short"))
def one_file(s):
    file = folder() / "one.bin"
    file.write_bytes(bytes(range(256)) * 10)
    s.client.log_artifact(s.run, str(file))
    listed = [(it.path, it.is_dir, it.file_size) for it in s.client.list_artifacts(s.run) if it.path == "one.bin"]
    same(listed, [("one.bin", False, 2560)])
    same(down(s, s.run, "one.bin").read_bytes(), file.read_bytes())


@check("files with odd names")
def odd_names(s):
    wrong = []
    source = folder()
    for name in NAMES:
        content = name.encode() * 3
        (source / name).write_bytes(content)
        try:
            s.client.log_artifact(s.run, str(source / name), "odd names")
            same(down(s, s.run, f"odd names/{name}").read_bytes(), content)
        except Exception as error:  # noqa: BLE001 - all names are told
            wrong.append(f"{name[:40]!r}: {type(error).__name__}: {str(error)[:120]}")
    listed = {it.removeprefix("odd names/") for it in paths(s, s.run, "odd names")}
    wrong += [f"{name[:40]!r} is not listed" for name in NAMES if name not in listed]
    same(wrong, [])


@check("folders in folders, up and down", ("all", "short"))
def folders(s):
    source = folder()
    for name in ("a/b/c/deep.txt", "a/b/other.txt", "a b/ü/x.txt", "top.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    s.client.log_artifacts(s.run, str(source), "tree")
    same(paths(s, s.run, "tree"), ["tree/a", "tree/a b", "tree/top.txt"])
    same([it.is_dir for it in s.client.list_artifacts(s.run, "tree/a")], [True])
    same(paths(s, s.run, "tree/a/b"), ["tree/a/b/c", "tree/a/b/other.txt"])
    got = down(s, s.run, "tree")
    for name in ("a/b/c/deep.txt", "a/b/other.txt", "a b/ü/x.txt", "top.txt"):
        same((got / name).read_text(), name)


@check("nothing there: an empty list, and an error for a file")
def nothing(s):
    run = s.client.create_run(s.experiment).info.run_id
    same(paths(s, run), [])
    same(paths(s, run, "no/such"), [])
    try:
        down(s, run, "no-such.txt")
    except Exception:  # noqa: BLE001 - which one depends on the client's version
        return
    raise AssertionError("a file that is not there was downloaded")


@check("empty file")
def empty(s):
    file = folder() / "empty.bin"
    file.touch()
    s.client.log_artifact(s.run, str(file))
    same(down(s, s.run, "empty.bin").stat().st_size, 0)


@check("file written anew")
def again(s):
    run = s.client.create_run(s.experiment).info.run_id
    for content in ("first, and longer", "second"):
        s.client.log_text(run, content, "file.txt")
        same(down(s, run, "file.txt").read_text(), content)


@check("text, dictionary, table, image and figure")
def typed(s):
    import numpy

    s.mlflow.set_experiment(experiment_id=s.experiment)
    with s.mlflow.start_run(experiment_id=s.experiment) as run:
        s.mlflow.log_dict({"a": "ü"}, "d.json")
        s.mlflow.log_text("x" * 100000, "t.txt")
        s.mlflow.log_table({"a": [1, 2]}, "table.json")
        s.mlflow.log_image(numpy.zeros((4, 4, 3), dtype=numpy.uint8), "image.png")
    uri = run.info.artifact_uri
    same(s.mlflow.artifacts.load_dict(uri + "/d.json"), {"a": "ü"})
    same(len(s.mlflow.artifacts.load_text(uri + "/t.txt")), 100000)
    same(len(s.mlflow.load_table("table.json", run_ids=[run.info.run_id])), 2)
    same(s.mlflow.artifacts.load_image(uri + "/image.png").size, (4, 4))


@check("more than a thousand files in a folder are all listed")
def many(s):
    import requests

    run = s.client.create_run(s.experiment).info
    root = run.artifact_uri.removeprefix("mlflow-artifacts:/")
    with requests.Session() as http:
        for number in range(1005 if s.size > 200 else 30):
            path = f"/api/2.0/mlflow-artifacts/artifacts/{root}/many/{number:04}.txt"
            http.put(s.url + path, data=b"x", headers=s.headers()).raise_for_status()
    same(len(paths(s, run.run_id, "many")), 1005 if s.size > 200 else 30)


def sha256(path):
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


@check("big file up and down")
def big(s):
    file = folder() / "big.bin"
    with open(file, "wb") as out:
        for _ in range(s.size):
            out.write(os.urandom(1 << 20))
    wanted = sha256(file)
    s.client.log_artifact(s.run, str(file), "big")
    file.unlink()
    got = down(s, s.run, "big/big.bin")
    same(sha256(got), wanted)
    got.unlink()


@check("files deleted")
def deleted(s):
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    run = s.client.create_run(s.experiment).info
    for name in ("keep.txt", "go a.txt", "d/one.txt", "d/two.txt"):
        s.client.log_text(run.run_id, name, name)
    repository = get_artifact_repository(run.artifact_uri)
    repository.delete_artifacts("go a.txt")
    repository.delete_artifacts("d")
    same(paths(s, run.run_id), ["keep.txt"])
