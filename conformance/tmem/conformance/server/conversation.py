"""What one connection is answered, whatever carries its bytes."""

from __future__ import annotations

from tmem.conformance.server.sessions import Session, Sessions
from tmem.spec.abi import errors, wire


class Conversation:
    """The requests of one connection, answered in order."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._session: Session | None = None
        self._unread = bytearray()
        self._at = 0
        self.misread = ""
        """Why the connection must end, in words: what came is no frame. Empty while all is well."""

    @property
    def waiting(self) -> int:
        """Bytes that were received and not answered."""
        return len(self._unread) - self._at

    def received(self, data: bytes) -> None:
        """Take bytes as they came."""
        self._unread += data

    def answers(self, most: int) -> tuple[bytes, bool]:
        """Answer at most so many whole requests. Returns the answers, and whether there may be more to do."""
        answers: list[bytes] = []
        try:
            while len(answers) < most and (frame := self._frame()) is not None:
                answers.append(self._answer(frame))
        except wire.WireError as error:
            self.misread = str(error)
            answers.append(wire.answer(0, -error.errno))
        del self._unread[: self._at]
        self._at = 0
        return b"".join(answers), len(answers) >= most and not self.misread

    def end(self) -> None:
        """The connection is gone."""
        if self._session is not None:
            self._sessions.left(self._session)
            self._session = None

    def _frame(self) -> bytes | None:
        """The next whole request. Raises WireError where no request has such a length."""
        if self.waiting < wire.LENGTH.size:
            return None
        size = wire.LENGTH.unpack_from(self._unread, self._at)[0] + wire.LENGTH.size
        if size < wire.REQUEST.size:
            raise wire.WireError(errors.EINVAL, 0, f"a request of {size} bytes is too short")
        if size > self._sessions.longest:
            raise wire.WireError(wire.EMSGSIZE, 0, f"a request of {size} bytes is too long")
        if self.waiting < size:
            return None
        start, self._at = self._at, self._at + size
        return bytes(memoryview(self._unread)[start : self._at])

    def _answer(self, frame: bytes) -> bytes:
        tag = int.from_bytes(frame[4:8], "little")
        try:
            body = wire.read_request(frame).body
        except wire.WireError as error:
            return wire.answer(tag, -error.errno)
        if isinstance(body, wire.Hello):
            if self._session is not None:
                return wire.answer(tag, -errors.EINVAL)
            self._session, (number, about) = self._sessions.begin(body.key)
            return wire.answer(tag, number, about)
        if self._session is None:
            return wire.answer(tag, -errors.EINVAL)
        if isinstance(body, wire.Close):
            session, self._session = self._session, None
            self._sessions.end(session)
            return wire.answer(tag, 0)
        return wire.answer(tag, *self._sessions.answer(self._session, body))
