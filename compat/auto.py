"""``import compat.auto`` turns the drop-in on, for code that puts the package on ``sys.path`` itself."""

from compat.boot import active
from compat.boot.entry_points import learn_unlisted

HOW = "import compat.auto"

active.boot(HOW)
if active.finder.started_by == HOW:
    learn_unlisted(active.finder)
