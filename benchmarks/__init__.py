"""Speed and memory, as ratios to a named floor or peer measured in the same run; and the audit's calibration."""
