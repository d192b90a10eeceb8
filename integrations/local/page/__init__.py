"""The page where people read channels and threads, press buttons, fill in modals and type commands."""
