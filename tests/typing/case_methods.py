"""Decorators keep the signatures of what they decorate."""

from typing import Awaitable, Optional

from typing_extensions import reveal_type

from compat import Adapter, dual, legacy_method, renamed


class Real:
    def close(self, code: int, reason: str = "") -> bool:
        return True

    async def aclose(self) -> int:
        return 1


class Handler(Adapter, of="new:Real", built_by="new:get_real"):
    @legacy_method(instead="Real.open")
    def connect(self, client: str, user: Optional[str] = None) -> int:
        return 1

    @legacy_method(instead=None)
    async def aconnect(self, client: str) -> int:
        return 1

    disconnect = renamed("close")
    halt = renamed(Real.close)
    abort = renamed(Real.aclose, instead="Real.aclose")


handler = Handler()
reveal_type(handler.connect)
reveal_type(handler.aconnect("x"))
handler.connect(3)
handler.connect("a", nope=1)
answer: Awaitable[int] = handler.aconnect("x")


@dual
async def find(client: str, limit: int = 3) -> int:
    return 1


reveal_type(find)
find(4)

reveal_type(handler.disconnect)
reveal_type(handler.halt)
reveal_type(handler.abort())
handler.halt("bye")
handler.halt(1000, nope=1)
