"""What a process records: sites, counters, the segment file that a kill cannot lose, and that it was observed."""
