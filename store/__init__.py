"""What a call is and where it lies: records, tables, spool, lake, database."""
