"""Is an endpoint slower, failing more, heavier on the database, or called more or less than is normal?"""
