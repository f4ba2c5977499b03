"""What moved in shop, and what will go."""

from compat import Deprecated, Ledger, Name

LEDGER = Ledger("shop") + [
    Name("shop.util:Money", "shop.money:Amount", since="2.0", removal="3.0", instead=None),
    Deprecated("shop.money:rate", since="2.1", removal="4.0", instead="Amount"),
]
