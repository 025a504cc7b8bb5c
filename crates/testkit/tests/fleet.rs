//! A thousand bad days in the shop.

use espressync_resolver::ConflictStrategy;
use espressync_testkit::fleet::{Faults, Plan, Report, Rules, Violation, run};

/// Seeds beyond the first thousand that once failed: they run first, for ever.
const REGRESSIONS: [u64; 2] = [1940, 5534];

fn plan(rules: Rules) -> Plan {
    Plan { tills: 3, actions: 12, faults: Faults::BAD, rules, window: 60_000 }
}

fn first_failure(seeds: impl Iterator<Item = u64>, plan: Plan) -> Option<(u64, Violation)> {
    seeds.into_iter().find_map(|seed| run(seed, plan).err().map(|violation| (seed, violation)))
}

fn check(seeds: u64, plan: Plan) {
    let seeds = REGRESSIONS.into_iter().chain(0..seeds);
    if let Some((seed, violation)) = first_failure(seeds, plan) {
        panic!("seed {seed} under {:?}: {violation}", plan.rules);
    }
}

/// `FLEET_SEEDS=100000 cargo test --release -p espressync-testkit` looks for rarer days.
#[test]
fn a_thousand_bad_days() {
    let seeds = std::env::var("FLEET_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    check(seeds.unwrap_or(1_000), plan(Rules::Real(ConflictStrategy::AutoMerge)));
}

#[test]
fn a_journal_that_forgets_at_once() {
    let real = plan(Rules::Real(ConflictStrategy::AutoMerge));
    check(200, Plan { window: 2_000, ..real });
}

#[test]
fn a_server_that_refuses_old_versions() {
    check(200, plan(Rules::Real(ConflictStrategy::Optimistic)));
}

#[test]
fn a_server_that_merges_as_appsync_documents() {
    check(200, plan(Rules::Real(ConflictStrategy::AutoMergeStrict)));
}

#[test]
fn a_server_whose_conflicts_a_handler_decides() {
    check(300, plan(Rules::Real(ConflictStrategy::Handler)));
}

#[test]
fn a_crowd() {
    let real = plan(Rules::Real(ConflictStrategy::AutoMerge));
    check(10, Plan { tills: 12, actions: 30, ..real });
}

/// The simulator is worth what it notices.
#[test]
fn broken_rules_are_noticed() {
    for rules in [Rules::BrokenMerge, Rules::BrokenCreate, Rules::Nameless] {
        let noticed = first_failure(0..100, plan(rules));
        assert!(noticed.is_some(), "{rules:?} passes 100 seeds");
    }
}

#[test]
fn a_seed_gives_the_same_day_again() {
    let real = plan(Rules::Real(ConflictStrategy::AutoMerge));
    let days: Vec<Result<Report, Violation>> = (0..2).map(|_| run(42, real)).collect();
    assert_eq!(days[0], days[1]);
    let report = days[0].as_ref().unwrap();
    assert!(report.sales > 5 && report.edits > 5 && report.mutations > report.sales);
}
