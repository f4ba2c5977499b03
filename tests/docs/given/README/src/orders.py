from shop.db import Session
from shop.old_cart import Cart
from shop.util import Money


def order(name, count):
    session = Session()
    session.connect("orders")
    cart = Cart()
    cart.addItem(name)
    session.disconnect()
    return Money(3 * count)


if __name__ == "__main__":
    order("tea", 2)
