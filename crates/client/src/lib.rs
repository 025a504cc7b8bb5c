//! The driver: the DataStore API over any Storage, Transport and Clock.
