"""JSON log formats, one file each."""
