"""The names under which uses are exported and read back, what they mean, and their labels."""

from __future__ import annotations

NAME = "compat_legacy_uses"
USES = "Uses of something legacy, as the state directory of this service has counted them since it exists."
LAST_NAME = "compat_legacy_last_use_timestamp_seconds"
LAST = "When a legacy use of these labels was last counted, in seconds since 1970."
PROCESSES_NAME = "compat_observed_processes"
PROCESSES = "Processes in which the drop-in was active, whether they used anything legacy or not."
SECONDS_NAME = "compat_observed_seconds"
SECONDS = "Seconds that these processes ran."
MOVE_NAME = "compat_legacy_move"
MOVE = "The stage of every move that was used: announced, deprecated, expired; and its versions."
UNREAD_NAME = "compat_unread_files"
UNREAD = "Files of the state directory that could not be read: until they are cleared, no zero proves anything."
HISTORY_NAME = "compat_history"
HISTORY = "Which history the numbers of this target come from: targets that share one have the same store."
VERDICT_NAME = "compat_legacy_verdict"
VERDICT = (
    "1 for what the uses in this state directory say of a move: in use, unproven, later, may go. No source is searched for it."
)
LABELS = ("ledger", "move", "kind", "caller", "service", "environment", "since", "removal")
OTHERS = "(others)"
"""The caller, and beyond a second bound the move, of what has no series of its own."""
