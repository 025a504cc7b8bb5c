//! Conformance suites, the fleet simulator and fakes.
