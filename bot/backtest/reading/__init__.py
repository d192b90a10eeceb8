"""Read a history from a CSV file as exports, spreadsheets and scripts write it."""
