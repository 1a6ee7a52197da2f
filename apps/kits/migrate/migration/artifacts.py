"""Copies the files of runs, models and traces, by MLflow's own artifact repositories: a folder, S3, Azure or Google.

A file that is there with its size is not sent again, so that a copy that broke off goes on. Only what lies beneath the
allowed folders is read: a location is a text that any client of a server could have written, `/etc` as well.
"""

import hashlib
import os
import posixpath
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from migration.locations import joined
from migration.problem import FAILED, Problem

WORKERS = 8
SHOWN = 10


class Plan:
    """The files of all leaves: what is copied, what is missing, what lies outside."""

    def __init__(self, leaves, allowed):
        self.files, self.missing, self.outside, self.links = {}, [], [], []
        allowed = [Path(os.path.realpath(it)) for it in allowed]
        for leaf in leaves:
            if not is_beneath(leaf.path, allowed):
                self.outside.append(str(leaf.path))
            elif leaf.path.is_dir():
                self.files[leaf.place] = list(self._walk(leaf.path, allowed))
            elif leaf.path.is_file():
                place, name = posixpath.split(leaf.place)
                self.files.setdefault(place, []).append((leaf.path, name, leaf.path.stat().st_size))
            else:
                self.missing.append(str(leaf.path))

    def _walk(self, root, allowed):
        for folder, folders, names in os.walk(root):
            folders.sort()
            self.links += [os.path.join(folder, it) for it in folders if os.path.islink(os.path.join(folder, it))]
            for name in sorted(names):
                path = Path(folder, name)
                if path.is_file() and is_beneath(path, allowed):
                    yield path, path.relative_to(root).as_posix(), path.stat().st_size
                else:
                    self.links.append(str(path))

    def refuse_outside(self):
        if self.outside:
            folders = ", ".join(self.outside[:SHOWN]) + (" ..." if len(self.outside) > SHOWN else "")
            hint = "add the folders that hold artifacts to artifactsFrom; what is there can be read by all who use the target"
            raise Problem(f"the database names {len(self.outside)} places outside of artifactsFrom: {folders}", hint)

    def summary(self):
        count = sum(len(it) for it in self.files.values())
        size = sum(size for files in self.files.values() for _, _, size in files)
        return {"files": count, "bytes": size, "missing": self.missing, "links_left_out": self.links}


def is_beneath(path, allowed):
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(it) for it in allowed)


def copy(plan, artifacts, progress):
    """Copies and compares; gives how many files were sent, and how many were there already."""
    copier = Copier(artifacts, progress)
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            for done in pool.map(lambda it: copier.carry(*it), plan.files.items()):
                copier.sent += done
    except Problem:
        raise
    except Exception as error:
        hint = "look at the store's address and rights; a second run goes on with what is missing"
        raise Problem(f"cannot copy to {artifacts.to}: {type(error).__name__}: {error}", hint, FAILED) from error
    return {
        "sent": copier.sent,
        "there_already": plan.summary()["files"] - copier.sent,
        "compared_by": artifacts.verify,
    }


class Copier:
    """Carries the files of one leaf at a time."""

    def __init__(self, artifacts, progress):
        self.artifacts, self.progress, self.sent, self.done = artifacts, progress, 0, 0

    def carry(self, place, files):
        if not files:
            return 0
        repository = get_artifact_repository(joined(self.artifacts.to, place))
        there, sent = listing(repository), 0
        for path, name, size in files:
            if there.get(name) != size:
                repository.log_artifact(str(path), posixpath.dirname(name) or None)
                sent += 1
        if sent:
            there = listing(repository)
        wrong = [name for path, name, size in files if there.get(name) != path.stat().st_size]
        if self.artifacts.verify == "contents":
            wrong += [name for path, name, _ in files if name not in wrong and digest(path) != stored(repository, name)]
        if wrong:
            raise Problem(f"files differ after copying to {place}: {', '.join(wrong[:SHOWN])}", "run again", FAILED)
        self.done += len(files)
        self.progress.count("files", self.done)
        return sent


def listing(repository, path=None):
    """The sizes of all files, by name."""
    found = {}
    for entry in repository.list_artifacts(path):
        if entry.is_dir:
            found |= listing(repository, entry.path)
        else:
            found[entry.path] = entry.file_size
    return found


def stored(repository, name):
    with tempfile.TemporaryDirectory() as folder:
        return digest(repository.download_artifacts(name, dst_path=folder))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest() if hasattr(hashlib, "file_digest") else whole(file)


def whole(file):
    """Python 3.10 has no `file_digest`."""
    state = hashlib.sha256()
    while block := file.read(1 << 20):
        state.update(block)
    return state.digest()
