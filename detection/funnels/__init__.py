"""Does a funnel convert less, or more, than is normal; in which segments; and what is at stake?"""
