"""What a Create, an Update and a Delete do: all but the last bring the tables to where the image wants them."""

import logging

from custom_resource.errors import ResourceError

log = logging.getLogger(__name__)

PHYSICAL_ID = "formwork:metaflow-schema"


class Lifecycle:
    """One request on its way."""

    def __init__(self, request, schema):
        self._request = request
        self._schema = schema
        # One for ever: another id would have CloudFormation delete the old one, which is the same database.
        self.physical_id = request.physical_id or PHYSICAL_ID

    def run(self):
        """Carry out the request and give the attributes of the resource."""
        match self._request.kind:
            case "Create" | "Update":
                self._schema.wait_for_server()
                return self._schema.migrate().attributes()
            case "Delete":
                log.info("tables go with their database, so nothing has to be deleted")
                return {}
            case kind:
                raise ResourceError(f"unknown request type {kind!r}")
