from shop import money


def test_money():
    from shop.util import Money

    assert Money(3) == 3


def test_rate():
    assert money.rate() == 1.5
