//! The browser's side: IndexedDB, fetch, WebSocket, clock and connectivity events.
