"""Requests rolled up by endpoint."""
