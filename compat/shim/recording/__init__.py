"""Who uses a legacy name, how, and how often: counted first, warned second.

funnel         UseRecorder: one use of one row; usage()
callsite       the frame that is the user's
bytecode       what the instruction of a frame does
filters        a snapshot of the warning filters, so that silent sites skip the warning machinery
thread_origin  the line that handed a legacy callable to a thread or an executor
lazy           lazy imports
"""
