"""The world to records: receivers, dialects, redaction, fingerprints, and the batch that goes to the spool."""
