"""Is a custom metric away from its own past, or on its way to a limit?"""
