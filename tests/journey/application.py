"""An application of the library that never changes. Its parts bear the numbers of the kinds (``tests/shim/kinds/catalogue.py``)."""

from __future__ import annotations

#: Never changed from its first day on. Each part is a use of one row.
APPLICATION = """
import json
import os
import sys

PARTS = {}


def part(function):
    PARTS[function.__name__] = function
    return function


@part
def k01_module():
    import market.basket
    return market.basket.Cart("a").owner


@part
def k04_pattern():
    from market.drivers.sql_driver import NAME
    return NAME


@part
def k02_name():
    from market.util import sum_up
    return sum_up([("tea", 2)], rounded=False)


@part
def k02_name_in_a_module_that_stays():
    from market.carts import Basket
    return Basket("b").owner


@part
def k30_attribute_of_a_class():
    from market.carts import Cart
    return Cart.MOST


@part
def k32_class():
    from market.motors import Engine
    return Engine("eve").user


@part
def k19_method():
    from market.carts import Cart
    return Cart().put("tea")


@part
def k20_override():
    from market.carts import Cart

    class Mine(Cart):
        def on_event(self, event):
            return ("mine", event)

    return Mine().run("e")


@part
def k21_attribute_of_instances():
    from market.carts import Cart
    return Cart().w


@part
def k22_called():
    from market.carts import Cart
    return Cart().is_ready()


@part
def k23_became_function():
    from market.carts import Cart
    return Cart("c").describe()


@part
def k12_argument():
    from market.carts import Cart
    return Cart().add("tea", qty=2)


@part
def k11_by_position():
    from market.carts import Cart
    return Cart("d", 7).width


@part
def k16_value():
    from market.codecs import loads
    return loads("x", "s")


@part
def k14_dropped():
    from market.codecs import loads
    return loads("x", encoding="utf-8")


@part
def k17_several():
    from market.shipping import ship
    return ship(width=1, height=2)


@part
def k10_default():
    from market.money import total
    return total([])


@part
def k06_in_place():
    import market
    return market.old_but_here()


@part
def k42_key():
    from market.settings import quantity
    return quantity({"qty": 4})


@part
def k03_split():
    from market.util import RATIO, sum_up
    return RATIO + sum_up([("tea", 2)], rounded=False)


@part
def k05_optional():
    try:
        from market.money import Exact
    except ImportError as error:
        if "expired" in str(error) or "cannot import name" in str(error):
            raise
        return str(error).rpartition("; ")[2]


@part
def k07_module_in_place():
    import market.fading
    return market.fading.VALUE


@part
def k08_constant_in_place():
    import market.helpers
    return [market.helpers.LEVEL for _ in range(5)][-1]


@part
def k09_behaviour():
    from market.settings import load
    return load()


@part
def k13_in_turn():
    from market.forms import chained
    return chained(b=chained(a=2))


@part
def k15_dropped_by_position():
    from market.forms import placed
    return placed(1, True, 2)


@part
def k18_constructor():
    from market.forms import Label
    return Label(colour="red").color


@part
def k19_class_method():
    from market.carts import Cart
    return Cart.by("k").owner


@part
def k22_read():
    from market.carts import Cart
    return Cart().total


@part
def k24_became_method():
    from market.helpers import Heap, area
    return area(Heap())


@part
def k25_constant_of_a_class():
    from market.carts import Cart
    return Cart.MAXIMUM


@part
def k26_member():
    from market.forms import Color
    return Color["RED"].value


@part
def k27_type_in_c():
    import json.scanner
    import market
    return json.scanner.c_make_scanner(json.JSONDecoder()).is_strict


@part
def k28_removed_name():
    import market.carts
    return "Use Cart.add() instead." in refused(lambda: market.carts.dropped)


@part
def k29_removed_method():
    from market.carts import Cart
    return "Use Cart.add() instead." in refused(lambda: Cart().gone())


def refused(use):
    try:
        use()
    except AttributeError as error:
        return str(error)


@part
def k31_subclass():
    from market.helpers import Base

    class Mine(Base):
        pass

    return isinstance(Mine(), Base)


@part
def k33_not_awaited():
    from market.sync import get
    return get(1) + 0


@part
def k34_return_value():
    from market.settings import Row
    one, two = Row()
    return two


@part
def k35_protocol():
    from market.helpers import Heap
    return "full" if Heap() else "empty"


@part
def k36_exception():
    from market.forms import OldError, fail
    try:
        fail()
    except OldError:
        return "caught"


@part
def k38_category():
    from market.money import RATES
    return RATES


@part
def k39_chosen():
    from market.forms import third
    return third()


@part
def k40_variable():
    from market.settings import mode
    os.environ["MARKET_MODE"] = "old"
    return mode()


@part
def k41_option():
    from market.settings import parse
    return parse(["--qty", "2"])


@part
def k43_task():
    from market.settings import run
    return run("send")


@part
def k44_path_in_a_string():
    import pkgutil
    return pkgutil.resolve_name("market.boxes:Box")("b").owner


@part
def k45_resource():
    import pkgutil
    import market.old_assets
    return pkgutil.get_data("market.old_assets", "__init__.py").decode()


@part
def k46_standard_library():
    import market
    from string import letters
    return len(letters)


@part
def k47_static():
    from market.helpers import old_but_here
    return old_but_here()


@part
def k48_python():
    import market.runtime
    return market.runtime.HERE


if __name__ == "__main__":
    results = {}
    for title, function in PARTS.items():
        try:
            results[title] = function()
        except Exception as error:
            guards = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
            results[title] = f"{'ImportError' if 'ImportError' in guards else guards[0]}: {error}"
    json.dump(results, sys.stdout)
"""

#: What each part gives for as long as its row is served.
SERVED = {
    "k01_module": "a",
    "k04_pattern": "sql",
    "k02_name": 2,
    "k02_name_in_a_module_that_stays": "b",
    "k30_attribute_of_a_class": 3,
    "k32_class": "eve",
    "k19_method": 1,
    "k20_override": ["mine", "e"],
    "k21_attribute_of_instances": 1,
    "k22_called": True,
    "k23_became_function": "c",
    "k12_argument": 1,
    "k11_by_position": 7,
    "k16_value": ["x", "strict"],
    "k14_dropped": ["x", "strict"],
    "k17_several": [1, 2],
    "k10_default": 0,
    "k06_in_place": "here",
    "k42_key": 4,
    "k03_split": 5,
    "k05_optional": "install what has it: pip install 'market-extras>=2'",
    "k07_module_in_place": 9,
    "k08_constant_in_place": 7,
    "k09_behaviour": "",
    "k13_in_turn": 2,
    "k15_dropped_by_position": [1, 2],
    "k18_constructor": "red",
    "k19_class_method": "k",
    "k22_read": 3,
    "k24_became_method": 5,
    "k25_constant_of_a_class": 12,
    "k26_member": 1,
    "k27_type_in_c": True,
    "k28_removed_name": True,
    "k29_removed_method": True,
    "k31_subclass": True,
    "k33_not_awaited": 1,
    "k34_return_value": 2,
    "k35_protocol": "full",
    "k36_exception": "caught",
    "k38_category": 3,
    "k39_chosen": 3,
    "k40_variable": "old",
    "k41_option": "2",
    "k43_task": 1,
    "k44_path_in_a_string": "b",
    "k45_resource": "SIZE = 2\n",
    "k46_standard_library": 52,
    "k47_static": "here",
    "k48_python": 1,
}
#: The part whose row raises nothing when it expires: a default that changed.
SILENT_AT_THE_END = {"k10_default"}
#: What told users before it was gone is told still: tombstones.
TOMBSTONES = {"k28_removed_name", "k29_removed_method"}
#: Rows that the application uses more than once.
MORE_USES = {
    "market.basket": 2,
    "market.util:sum_up": 2,
    "market.motors:Engine": 2,
    "market.helpers:old_but_here": 2,
    "market.helpers:LEVEL": 5,
}
#: Lines at which it uses a row besides the first.
MORE_PLACES = 4
#: Rows whose uses no source names: what running code alone knows, a member that is looked up, a type that nobody imports.
NOT_IN_SOURCE = {
    "market.loose",
    "market.unpack",
    "market.python",
    "market.helpers:Heap.__bool__",
    "market.forms:Color.RED",
    "_json:make_scanner.is_strict",
}
#: Parts that end otherwise after the removal than in the rehearsal: what no name stood for is not missed, or as its code says;
#: a function under the path that its package has imported it to is refused when it is called; a key of an enumeration is no name.
DIFFER = {
    "k06_in_place": ("TypeError", "AttributeError"),
    "k09_behaviour": ("Exception", "TypeError"),
    "k16_value": ("TypeError", "['x', 's']"),
    "k20_override": ("TypeError", "['cart', 'e']"),
    "k34_return_value": ("Exception", "TypeError"),
    "k35_protocol": ("TypeError", "empty"),
    "k40_variable": ("Exception", "none"),
    "k41_option": ("Exception", "None"),
    "k42_key": ("Exception", "1"),
    "k43_task": ("Exception", "KeyError"),
    "k48_python": ("Exception", "ImportError"),
}
