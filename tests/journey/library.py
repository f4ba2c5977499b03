"""A library of ten modules with a ledger of one row of each kind, as its three releases, and an application that never changes."""

from __future__ import annotations

import base64
import hashlib
import zipfile

#: What the library is now: ten modules, the package aside.
MODULES = {
    "__init__": '"""A market."""\n',
    "carts": """
        class Cart:
            LIMIT = 10

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
    "settings": "import compat\n\nfrom .moves import QTY\n\n\ndef quantity(given):\n    return compat.getkey(given, QTY, 1)\n",
    "helpers": "def describe(cart):\n    return cart.owner\n\n\ndef old_but_here():\n    return 'here'\n",
    "drivers_sql": "NAME = 'sql'\n",
    "moves": """
        from compat import Argument, Behaviour, Class, Deprecated, Ledger, Method, Module, Name, Removed, common, names

        V = common(since="1.0", removal="3.0", instead=None)
        QTY = Behaviour("market.qty", "Key 'qty'", old="qty", new="quantity", **V)
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
            QTY,
        ])
    """,
}

#: Never changed from its first day on. Each part is a use of one row.
APPLICATION = """
import json
import sys

PARTS = {}


def part(function):
    PARTS[function.__name__] = function
    return function


@part
def module():
    import market.basket
    return market.basket.Cart("a").owner


@part
def pattern():
    from market.drivers.sql_driver import NAME
    return NAME


@part
def name():
    from market.util import sum_up
    return sum_up([("tea", 2)], rounded=False)


@part
def name_in_a_module_that_stays():
    from market.carts import Basket
    return Basket("b").owner


@part
def attribute_of_a_class():
    from market.carts import Cart
    return Cart.MOST


@part
def class_():
    from market.motors import Engine
    return Engine("eve").user


@part
def method():
    from market.carts import Cart
    return Cart().put("tea")


@part
def override():
    from market.carts import Cart

    class Mine(Cart):
        def on_event(self, event):
            return ("mine", event)

    return Mine().run("e")


@part
def attribute_of_instances():
    from market.carts import Cart
    return Cart().w


@part
def called():
    from market.carts import Cart
    return Cart().is_ready()


@part
def became_function():
    from market.carts import Cart
    return Cart("c").describe()


@part
def argument():
    from market.carts import Cart
    return Cart().add("tea", qty=2)


@part
def by_position():
    from market.carts import Cart
    return Cart("d", 7).width


@part
def value():
    from market.codecs import loads
    return loads("x", "s")


@part
def dropped():
    from market.codecs import loads
    return loads("x", encoding="utf-8")


@part
def several():
    from market.shipping import ship
    return ship(width=1, height=2)


@part
def default():
    from market.money import total
    return total([])


@part
def in_place():
    from market.helpers import old_but_here
    return old_but_here()


@part
def key():
    from market.settings import quantity
    return quantity({"qty": 4})


if __name__ == "__main__":
    results = {}
    for title, function in PARTS.items():
        try:
            results[title] = function()
        except Exception as error:
            results[title] = f"{type(error).__mro__[1].__name__}: {error}"
    json.dump(results, sys.stdout)
"""

#: What each part gives for as long as its row is served.
SERVED = {
    "module": "a",
    "pattern": "sql",
    "name": 2,
    "name_in_a_module_that_stays": "b",
    "attribute_of_a_class": 3,
    "class_": "eve",
    "method": 1,
    "override": ["mine", "e"],
    "attribute_of_instances": 1,
    "called": True,
    "became_function": "c",
    "argument": 1,
    "by_position": 7,
    "value": ["x", "strict"],
    "dropped": ["x", "strict"],
    "several": [1, 2],
    "default": 0,
    "in_place": "here",
    "key": 4,
}
#: The part whose row raises nothing when it expires: a default that changed.
SILENT_AT_THE_END = {"default"}


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
