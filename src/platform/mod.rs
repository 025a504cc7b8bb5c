//! What the till asks of the browser: time, letters, storage, connection, screen, printer,
//! service worker.
//!
//! Each file wraps one browser facility and knows nothing of the screens. Everything here answers
//! calmly where a facility is missing; nothing panics.

pub mod clock;
pub mod identity;
pub mod pairing;
pub mod printer;
pub mod screen;
pub mod service_worker;
pub mod storage;
pub mod text;
