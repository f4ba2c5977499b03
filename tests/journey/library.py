"""A library with a ledger of one row of each kind of deprecation, as its releases."""

from __future__ import annotations

import base64
import hashlib
import zipfile

#: What the library is now, the package aside.
MODULES = {
    "__init__": '"""A market."""\n\nfrom .helpers import old_but_here\n',
    "carts": """
        class Cart:
            LIMIT = 10
            PEAK = 12

            def __init__(self, owner="nobody", *, size=1):
                self.owner, self.width, self.lines = owner, size, []

            def add(self, name, quantity=1):
                self.lines.append((name, quantity))
                return len(self.lines)

            def handle(self, event):
                return ("cart", event)

            def run(self, event):
                return self.handle(event)

            @property
            def ready(self):
                return True

            def length(self):
                return 3

            @classmethod
            def of(cls, owner):
                return cls(owner)
    """,
    "money": "def total(lines, *, rounded=False):\n    return sum(count for _name, count in lines)\n\n\nRATE = 3\n",
    "codecs": "def loads(text, mode='strict'):\n    return (text, mode)\n",
    "shipping": "def ship(size=(0, 0)):\n    return size\n\n\ndef size_of(width=0, height=0):\n    return (width, height)\n",
    "engines": "class Engine:\n    def __init__(self, user):\n        self.user = user\n\n\ndef get_engine(user='u'):\n    return Engine(user)\n",
    "adapters": """
        from compat import Adapter


        class Engine(Adapter, of="market.engines:Engine", built_by="market.engines:get_engine"):
            pass
    """,
    "settings": """
        import argparse

        import compat

        from .moves import OPTION, QTY, TASK, VARIABLE


        def quantity(given):
            return compat.getkey(given, QTY, 1)


        def mode():
            return compat.getenv(VARIABLE, "none")


        def parse(words):
            parser = argparse.ArgumentParser(allow_abbrev=False)
            parser.add_argument("--quantity", "--qty")
            compat.count_option(parser, OPTION)
            return parser.parse_args(words).quantity


        def run(task):
            return {"deliver": 1}[compat.current_name(task, TASK)]


        def load(name=""):
            if not name:
                compat.use("market.loose")
            return name


        class Row:
            def __iter__(self):
                compat.use("market.unpack")
                return iter((1, 2))
    """,
    "helpers": """
        LEVEL = 7


        def describe(cart):
            return cart.owner


        def old_but_here():
            return "here"


        class Base:
            pass


        class Heap:
            def area(self):
                return 5

            def __bool__(self):
                return True
    """,
    "forms": """
        import dataclasses
        import enum


        class Color(enum.Enum):
            RED = 1
            BLUE = 2


        @dataclasses.dataclass
        class Label:
            color: str = ""


        class NewError(Exception):
            pass


        def fail():
            raise NewError


        def chained(c=1):
            return c


        def placed(x, y=0):
            return (x, y)


        def three():
            return 3
    """,
    "assets/__init__": "SIZE = 2\n",
    "runtime": "import compat\n\ncompat.use('market.python')\nHERE = 1\n",
    "fading": "VALUE = 9\n",
    "old_async": "import compat\n\nfrom .aio import fetch\n\nget = compat.dual(fetch)\n",
    "aio": "async def fetch(x):\n    return x\n",
    "drivers_sql": "NAME = 'sql'\n",
    "moves": """
        import importlib.util

        from compat import Argument, Behaviour, Class, Deprecated, Ledger, Method, Module, Name, Removed, choose, common, names

        V = common(since="1.0", removal="3.0", instead=None)
        D = common(since="1.0", removal="3.0")
        QTY = Behaviour("market.qty", "Key 'qty'", old="qty", new="quantity", **V)
        VARIABLE = Behaviour("market.MARKET_MODE", "Variable MARKET_MODE", old="MARKET_MODE", new="MARKET_FORM", **V)
        OPTION = Behaviour("market.--qty", "Option --qty", old="--qty", new="--quantity", **V)
        TASK = Behaviour("market.task", "Task 'send'", old="send", new="deliver", **V)
        LEDGER = Ledger("market", rows=[
            Module("market.basket", "market.carts", **V),
            Module("market.drivers.{x}_driver", "market.drivers_{x}", **V),
            *names("market.util", "market.money", "sum_up=total RATIO=RATE", **V),
            Name("market.carts:Basket", "market.carts:Cart", **V),
            Name("market.carts:Cart.MOST", "market.money:RATE", **V),
            Class("market.motors:Engine", "market.engines:Engine", adapter="market.adapters:Engine", **V),
            Method("market.carts:Cart.put", "market.carts:Cart.add", **V),
            Method("market.carts:Cart.on_event", "market.carts:Cart.handle", **V),
            Method("market.carts:Cart.w", "market.carts:Cart.width", **V),
            Method("market.carts:Cart.is_ready", "market.carts:Cart.ready", was="method", **V),
            Method("market.carts:Cart.describe", "market.helpers:describe", **V),
            Argument("market.carts:Cart.add", "qty", became="quantity", **V),
            Argument("market.carts:Cart", keyword_only="size", **V),
            Argument("market.codecs:loads", "mode", values={"s": "strict"}, **V),
            Argument("market.codecs:loads", "encoding", **V),
            Argument("market.shipping:ship", several="width height", became="size", convert="market.shipping:size_of", **V),
            Argument("market.money:total", "rounded", was=True, **V),
            Deprecated("market.helpers:old_but_here", **V),
            Removed("market.carts:Cart.gone", since="1.0", instead="Cart.add()"),
            Removed("market.carts:dropped", since="1.0", instead="Cart.add()"),
            Name("market.money:Exact", "no_such_market_extras:Exact", requires="market-extras>=2", **V),
            Deprecated("market.fading", **V),
            Deprecated("market.helpers:LEVEL", **V),
            Deprecated("market.helpers:Base", on="subclass", **V),
            Deprecated("market.helpers:Heap.__bool__", instead="len(heap)", **D),
            Deprecated("market.forms:Color.RED", **V),
            Argument("market.forms:chained", "a", became="b", **V),
            Argument("market.forms:chained", "b", became="c", **V),
            Argument("market.forms:placed", "loud", position=1, **V),
            Argument("market.forms:Label", "colour", became="color", **V),
            Method("market.carts:Cart.total", "market.carts:Cart.length", was="property", **V),
            Method("market.carts:Cart.MAXIMUM", "market.carts:Cart.PEAK", **V),
            Method("market.carts:Cart.by", "market.carts:Cart.of", **V),
            Name("market.helpers:area", "market.helpers:Heap.area", **V),
            Name("market.sync:get", "market.old_async:get", instead="market.aio.fetch()", **D),
            Name("market.forms:OldError", "market.forms:NewError", **V),
            Name("market.forms:third", choose(("python < 3", "market.forms:two"), ("", "market.forms:three")), **V),
            Name("market.money:RATES", "market.money:RATE", category="FutureWarning", **V),
            Name("market.boxes:Box", "market.carts:Cart", **V),
            Name("string:letters", "string:ascii_letters", **V),
            Module("market.old_assets", "market.assets", **V),
            Behaviour("market.loose", "Loading without a name", instead="load(name=...)", **D),
            Behaviour("market.unpack", "Unpacking a row", instead="row.name", **D),
            Behaviour("market.python", "Running market on Python 3", instead="a later Python", **D),
            QTY,
            VARIABLE,
            OPTION,
            TASK,
        ])
        if importlib.util.find_spec("_json"):
            LEDGER += [Method("_json:make_scanner.is_strict", "_json:make_scanner.strict", **V)]
    """,
}


#: What differs once the rows are gone; empty where the module is.
WITHOUT = {
    "moves": "",
    "adapters": "",
    "fading": "",
    "old_async": "",
    "__init__": '"""A market."""\n',
    "runtime": "raise ImportError('market needs a later Python')\n",
    "helpers": """
        def describe(cart):
            return cart.owner


        class Base:
            def __init_subclass__(cls):
                raise TypeError("Base is final")


        class Heap:
            def __len__(self):
                return 0
    """,
    "settings": """
        import argparse
        import os


        def quantity(given):
            return given.get("quantity", 1)


        def mode():
            return os.environ.get("MARKET_FORM", "none")


        def parse(words):
            parser = argparse.ArgumentParser(allow_abbrev=False)
            parser.add_argument("--quantity")
            return parser.parse_known_args(words)[0].quantity


        def run(task):
            return {"deliver": 1}[task]


        def load(name):
            return name


        class Row:
            pass
    """,
    "forms": MODULES["forms"].replace("RED = 1", ""),
}


def wheel(folder, version, modules, *, with_ledger=True):
    """Build a wheel of the library into a folder: an index for ``pip install --no-index --find-links``."""
    name, info = f"market-{version}-py3-none-any.whl", f"market-{version}.dist-info"
    files = {f"market/{module}.py": text for module, text in modules.items()}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: market\nVersion: {version}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if with_ledger:
        files[f"{info}/entry_points.txt"] = "[compat.ledgers]\nmarket = market.moves:LEDGER\n"
    record = []
    with zipfile.ZipFile(folder / name, "w") as archive:
        for path, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(text.encode())}")
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
