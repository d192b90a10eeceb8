"""The page on which a person reads channels and threads, presses buttons, fills modals and types commands."""
