"""``import compat.auto`` turns the drop-in on, for code that puts the package on ``sys.path`` itself."""

from compat.boot import boot

boot("import compat.auto")
