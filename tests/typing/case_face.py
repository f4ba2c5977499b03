"""The public face is typed."""

from typing_extensions import reveal_type

import compat

LEDGER = compat.Ledger("kit", version="1.0") + [
    compat.Name("old:A", "new:B", since="1.0", removal="2.0", instead=None),
]
reveal_type(LEDGER)
reveal_type(LEDGER.get("old:A"))
reveal_type(LEDGER["old:A"].since)
reveal_type(compat.check(LEDGER))
with compat.install(LEDGER) as installation:
    reveal_type(installation)
reveal_type(compat.usage()[0].count)

compat.Name("old:A", "new:B", since="1.0", removal="2.0")
compat.Class("old:A", "new:B", since="1.0", removal="2.0", instead=None)
compat.install("kit")
