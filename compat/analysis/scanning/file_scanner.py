"""Select and examine the files of one scan; one scanner per process."""

from __future__ import annotations

import os
from functools import cached_property, partial
from typing import TYPE_CHECKING, Optional, Union

from ..reading import batch as batches
from ..reading import notebooks
from ..reading.files import ModuleNames
from ..targets import Targets
from .examine import Examined, Selection, examine, unreadable, without_repeats

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from compat.ledger import Ledger

    from ..config import Settings
    from ..hints import Hints
    from ..reading.files import Found
    from .prefilter import Module, Prefilter


class Scanner:
    """Targets, prefilter and module names of one scan."""

    def __init__(self, ledger: Ledger, settings: Settings, scope: Selection, roots: Iterable[str]) -> None:
        self.targets = Targets(ledger, settings.factories)
        #: Filled when all files have been seen once.
        self.targets.carried = {}
        self.scope = scope
        roots = [*roots]
        self.targets.bases = tuple(sorted({base for root in roots for base in (root, os.path.join(root, "src"))}))
        self._roots = roots
        self.targets.beside = tuple(sorted({os.path.dirname(root) or "." for root in roots}))

    # Made, and imported, when the first file is read: a run whose results are all cached reads none.

    @cached_property
    def prefilter(self) -> Prefilter:
        from .prefilter import Prefilter

        if not self.scope.is_fast:
            self.targets.members.follow_descendants(self._roots)
        return Prefilter(self.targets, policy=self.scope.policy, paths_only=self.scope.is_fast)

    @cached_property
    def modules(self) -> ModuleNames:
        return ModuleNames(self.prefilter.roots | self.prefilter.homes)

    def prepare(self) -> None:
        """Make and import what most files take, before this process is forked."""
        from . import quick_scan, shortcut  # noqa: F401

        assert self.modules is not None
        assert self.prefilter.words is not None

    def candidates(self, found: Iterable[Found]) -> Iterator[tuple[Found, Union[bytes, OSError, None]]]:
        """Each file with its bytes where it may hold a use, ``None`` where not, and why where it cannot be read."""
        for batch in batches.batches(found):
            inside: dict[int, Module] = {}
            homes: set[int] = set()
            for index, item in enumerate(batch.items):
                if self.modules.is_inside(item.path):
                    inside[index] = partial(self.modules.of, item)
                    if not self.prefilter.homes.isdisjoint(item.path.split(os.sep)):
                        homes.add(index)
            # What follows may take long, and the batch's bytes are there until the next is read.
            contents = {index: batch.content(index) for index in self.prefilter.sift(batch, inside, homes)}
            yield from batch.failed
            for index, item in enumerate(batch.items):
                yield item, contents.get(index)

    def files(self, found: Iterable[Found]) -> Iterator[tuple[Found, Optional[Examined]]]:
        """Examine files; ``None`` for one that holds nothing, or has vanished."""
        for item, raw in self.candidates(found):
            if isinstance(raw, bytes):
                yield item, self._examine_candidate(item, raw)
            elif raw is None or isinstance(raw, FileNotFoundError):
                yield item, None
            else:
                yield item, Examined([unreadable(item.path, raw.strerror or str(raw))])

    def _examine_candidate(self, item: Found, raw: bytes) -> Optional[Examined]:
        if item.path.endswith(notebooks.SUFFIX):
            return self.examine(item, raw)
        if self.scope.is_fast and not item.is_data:
            from . import quick_scan

            told = partial(self.modules.of, item) if self.modules.is_inside(item.path) else None
            quick = quick_scan.find(item.path, raw, self.targets, self.prefilter, module=told, finder=quick_scan.Finder)
            if quick is not None:
                kept = without_repeats([finding for finding in quick.findings if self.scope.takes(finding)])
                return Examined(kept) if kept else None
        elif self.scope.is_plain and not item.is_data:
            from . import shortcut

            is_inside = self.modules.is_inside(item.path)
            module = partial(self.modules.of, item)
            made = shortcut.examine(item.path, raw, self.targets, self.prefilter, module, is_inside=is_inside)
            if made is not None:
                return made
        return self.examine(item, raw)

    def examine(self, item: Found, raw: bytes, hints: Optional[Hints] = None) -> Examined:
        """Examine a file in full."""
        has_name = not item.is_data and not item.path.endswith(notebooks.SUFFIX)
        module, is_package = self.modules.of(item) if has_name else ("", False)
        return examine(
            item.path,
            raw,
            self.targets,
            self.scope,
            module=module,
            is_package=is_package,
            is_data=item.is_data,
            hints=hints,
        )
