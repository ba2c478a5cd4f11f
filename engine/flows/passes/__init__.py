"""The passes of the checker that look at drafts: references, names, paths. Each adds its faults to the drafts."""
