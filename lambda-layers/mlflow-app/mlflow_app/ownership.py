"""Tags by which a repeated event finds what its first run made.

CreateMlflowApp takes no client token, and Lambda delivers an event more than once: when the function is killed,
when the answer cannot be delivered, and now and then for no reason. Without a mark of our own the second run would
make a second app.
"""

OWN_PREFIX = "formwork:"
STACK = "formwork:stack-id"
LOGICAL_ID = "formwork:logical-id"
REQUEST = "formwork:request-id"
REPLACES = "formwork:replaces"
OWN_TAGS = 4


def own_tags(request, replaces=None):
    """The mark of one request; a replacement also names the app whose place it takes."""
    tags = {STACK: request.stack_id, LOGICAL_ID: request.logical_id, REQUEST: request.request_id}
    return tags | {REPLACES: replaces} if replaces else tags


def made_by(request, tags):
    """Whether an app with these tags was made by this very request."""
    return all(tags.get(key) == value for key, value in own_tags(request).items())
