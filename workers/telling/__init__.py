"""Messages about an incident: build, enqueue, deliver and update them."""
