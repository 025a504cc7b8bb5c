//! What the tests of several rooms share: the fleet simulator and the conformance suites.
//!
//! The [`fleet`] runs many tills against the server's real rules in virtual time, over a network
//! that drops, delays, repeats and reorders, all from one seed. [`storage`] holds the checks that
//! every log storage passes, [`queries`] those of a whole DataStore's reads. [`fakes`] stand in for
//! network, clock and disk where a test wants to hold them in its hand.

pub mod fakes;
pub mod fleet;
pub mod queries;
pub mod storage;
