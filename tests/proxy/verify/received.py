"""A request as it came over the wire, its body on disk once it is long."""

import hashlib
import tempfile

from verify.signature import HOP_BY_HOP, Signed, verify

MEMORY = 8 << 20
PIECE = 1 << 18


class Received:
    """A request that was received to its end. Use it in a `with`."""

    def __init__(self, request, file, length, signed):
        self.request, self.file, self.length, self.signed = request, file, length, signed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    @classmethod
    async def read(cls, request):
        file = tempfile.SpooledTemporaryFile(max_size=MEMORY)
        digest, length = hashlib.sha256(), 0
        try:
            async for piece in request.content.iter_chunked(PIECE):
                digest.update(piece)
                file.write(piece)
                length += len(piece)
        except BaseException:
            file.close()
            raise
        headers = [(name.decode("latin-1").lower(), value) for name, value in request.raw_headers]
        target = request.raw_path.encode("utf-8", "surrogateescape").decode("latin-1")
        return cls(request, file, length, Signed(request.method, target, headers, digest.hexdigest()))

    def verify(self, endpoint, state, kind, skew=0):
        return verify(self.signed, endpoint, state.sessions(kind), skew)

    def bytes(self):
        self.file.seek(0)
        return self.file.read()

    async def pieces(self):
        self.file.seek(0)
        while piece := self.file.read(PIECE):
            yield piece

    def passed_headers(self, dropped):
        """The headers without those of this hop and without `dropped`, as text."""
        return [
            (name, value.decode("utf-8", "surrogateescape"))
            for name, value in self.signed.headers
            if name not in HOP_BY_HOP and name not in dropped
        ]
