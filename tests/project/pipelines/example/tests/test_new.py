from shop.money import Amount


def test_amount():
    assert Amount(3) + Amount(4) == 7
