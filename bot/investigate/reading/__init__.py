"""Reading the files of an exported incident."""
