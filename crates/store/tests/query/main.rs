//! Queries: whatever way the store finds to answer one, the answer is that of a plain scan.

#[cfg(test)]
mod naive;
#[cfg(test)]
mod random;
#[cfg(test)]
mod relations;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod ways;
