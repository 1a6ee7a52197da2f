"""Where artifacts are and where they will be: every location in the database, and how it is rewritten.

An experiment's place becomes `<locations>/<experiment id>`, as MLflow would have made it there; what lies beneath it
keeps its path. Anything else becomes `<locations>/elsewhere/<a hash of its old place>/<name>`, so that the new location of a
file depends on nothing but the old one. Locations that no file is moved from (another bucket, `models:/`) stay.
"""

import posixpath
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

# Each column of a location, with the condition of its rows. The first two are places of whole experiments or workspaces:
# they are rewritten, but what is copied is what runs, models and traces name.
ROOTS = {
    ("experiments", "artifact_location"),
    ("workspaces", "default_artifact_root"),
    ("workspaces", "trace_archival_location"),
}
LEAVES = {
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("trace_tags", "value"),
}
TRACE_KEYS = (b"mlflow.artifactLocation", b"mlflow.trace.archiveLocation")
SERVED = "mlflow-artifacts"
# What MLflow writes as the source of a prompt, which has no files (mlflow/prompt/constants.py).
NO_PLACE = "dummy-source"


@dataclass(frozen=True)
class Leaf:
    """Files that are copied: from a folder or file, to a place beneath the store."""

    path: Path
    place: str


class Locations:
    """Rewrites locations; without a store to copy to it leaves all as they are."""

    def __init__(self, connection, source, artifacts, numbers):
        self.source, self.artifacts = source, artifacts
        self.roots = {}
        if artifacts.to is None:
            return
        for identity, location in connection.execute(
            "SELECT experiment_id, artifact_location FROM experiments ORDER BY 1"
        ):
            path = self.path_of(text(location))
            if path is not None:
                # Two experiments may share a place; it then keeps the first one's id.
                self.roots.setdefault(path, str(numbers.of(identity)))

    def path_of(self, location):
        """The local path of a location, or nothing if it is not local to the source."""
        if not location or location == NO_PLACE:
            return None
        parts = urlsplit(location)
        if parts.scheme == SERVED:
            served = self.source.served_artifacts
            return None if served is None else normal(served / unquote(parts.path).lstrip("/"))
        if parts.scheme == "file":
            return normal(self.source.working_directory / unquote(parts.path))
        if parts.scheme == "" and not location.startswith("//"):
            return normal(self.source.working_directory / location)
        return None

    def place_of(self, path):
        """The place beneath the store that a local path gets."""
        for folder in (path, *path.parents):
            if folder in self.roots:
                return posixpath.join(self.roots[folder], path.relative_to(folder).as_posix()).removesuffix("/.")
        return f"elsewhere/{sha256(str(path).encode()).hexdigest()[:16]}/{path.name}"

    def rewritten(self, location):
        """What a location becomes."""
        path = self.path_of(location)
        if path is None or self.artifacts.to is None:
            return location
        return joined(self.artifacts.locations, self.place_of(path))

    def in_row(self, table, columns):
        """A function that rewrites the locations in a row of a table, or nothing if it has none."""
        places = [n for n, it in enumerate(columns) if (table, it.name) in ROOTS | LEAVES]
        if not places or self.artifacts.to is None:
            return None
        key = [it.name for it in columns].index("key") if table == "trace_tags" else None

        def rewrite(row):
            if key is not None and row[key] not in TRACE_KEYS:
                return row
            row = list(row)
            for place in places:
                if isinstance(row[place], bytes):
                    row[place] = self.rewritten(text(row[place])).encode()
            return row

        return rewrite

    def leaves(self, connection):
        """What has to be copied, without what lies inside of something else; and the locations that stay, with counts."""
        found, staying = {}, {}
        for table, column in sorted(LEAVES):
            where = "WHERE key IN (?, ?)" if table == "trace_tags" else ""
            values = TRACE_KEYS if where else ()
            keys = tuple(it.decode() for it in values)
            for (value,) in connection.execute(f'SELECT DISTINCT "{column}" FROM {table} {where}', keys):
                location = text(value)
                path = self.path_of(location)
                if path is not None and self.artifacts.to is not None:
                    found[path] = Leaf(path, self.place_of(path))
                elif location and location != NO_PLACE:
                    kind = urlsplit(location).scheme or "folder"
                    staying[kind] = staying.get(kind, 0) + 1
        leaves = [it for path, it in sorted(found.items()) if not any(above in found for above in path.parents)]
        return leaves, staying

    def old_roots(self):
        """Texts that name a moved place, to look for where nothing was rewritten."""
        return sorted({str(it.parent) for it in self.roots})


def normal(path):
    """A path without `..`, as a text: no look at the disk, since the files may be gone."""
    return Path(posixpath.normpath(path.as_posix()))


def joined(root, place):
    if re.match(r"[a-z][a-z0-9+.-]*:", root) and urlsplit(root).scheme in ("file", SERVED):
        place = quote(place)
    return f"{root.rstrip('/')}/{place}"


def text(value):
    return value.decode(errors="replace") if isinstance(value, bytes) else value
