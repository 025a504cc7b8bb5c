//! AppSync on the wire: documents, JSON, errors and realtime frames, in both directions.
