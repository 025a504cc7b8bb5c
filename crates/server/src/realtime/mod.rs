//! AppSync's realtime protocol (contract 5), the server's half.

mod hub;
mod session;
mod upgrade;

pub use hub::Hub;
pub(crate) use upgrade::upgrade;
