//! AppSync's realtime protocol (contract 5), the server's half.
//!
//! A [`Session`](session::Session) speaks with one client. Its subscriptions are members of a
//! [`Group`](group::Group) each, with all others that are told the same, and the [`Hub`] hands each
//! committed change to the groups that ask for it. What is said leaves through the socket's
//! [`Outlet`](outlet::Outlet), which waits for nobody.

mod group;
mod hub;
mod limits;
mod outlet;
mod session;
mod upgrade;

pub use hub::Hub;
pub use limits::RealtimeLimits;
pub(crate) use upgrade::upgrade;
