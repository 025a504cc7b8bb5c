//! The rules of access as values, without a server: what the tables of whole requests
//! (`server/tests/server/access.rs`) do not come to.

use espressync_model::{
    AccessRule, AccessRules, Action, Allow, Field, FieldId, Model, Patch, Provider, Row, Scalar,
    Value,
};
use espressync_resolver::{Caller, Claim, Identity, Rights};

const ID: FieldId = FieldId(0);
const OWNER: FieldId = FieldId(1);
const PAY: FieldId = FieldId(2);

fn model() -> Model {
    Model::new("Shift", "Shifts")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("owner", Scalar::String))
        .field(Field::new("pay", Scalar::Int))
}

fn rule(allow: Allow, actions: &[Action]) -> AccessRule {
    AccessRule { allow, provider: Provider::UserPools, actions: actions.to_vec() }
}

fn owner(claims: &[&str], actions: &[Action]) -> AccessRule {
    let claims = claims.iter().map(ToString::to_string).collect();
    rule(Allow::Owner { field: OWNER, claims }, actions)
}

fn caller(claims: &[(&str, &str)]) -> Caller {
    let claims =
        claims.iter().map(|(name, value)| (name.to_string(), Claim::One(value.to_string())));
    Caller::Known(Identity { provider: Provider::UserPools, claims: claims.collect() })
}

fn row(owner: &str) -> Row {
    Row::new(vec!["s".into(), owner.into(), Value::Int(9)])
}

fn patch(fields: &[(FieldId, Value)]) -> Patch {
    fields.iter().cloned().collect()
}

const BOTH: [&str; 2] = ["sub", "username"];

#[test]
fn an_owner_is_known_by_the_whole_name_or_a_part() {
    let rules = AccessRules { model: vec![owner(&BOTH, &Action::ALL)], ..AccessRules::default() };
    let check = |claims: &[(&str, &str)], stored: &str, expected: bool| {
        let (model, caller) = (model(), caller(claims));
        let rights = Rights::of(&model, &rules, &caller);
        assert_eq!(rights.may_delete(&row(stored)), expected, "{claims:?}: {stored}");
    };
    let ann = [("sub", "1"), ("username", "ann")];
    for name in ["1::ann", "1", "ann"] {
        check(&ann, name, true);
    }
    for name in ["", "ann::1", "1::", "1::bob", "2", "Ann"] {
        check(&ann, name, false);
    }
    check(&[("sub", "1"), ("cognito:username", "ann")], "1::ann", true);
    check(&[("sub", "1")], "1", true);
    check(&[("sub", "1")], "1::ann", false);
    check(&[("sub", "")], "", false);
    check(&[], "", false);
    check(&[("sub", "2"), ("username", "1::ann")], "1::ann", false);
}

#[test]
fn the_owner_is_filled_in_where_a_rule_lets_owners_create() {
    let check = |rule: AccessRule, sent: Patch, expected: Option<&str>| {
        let rules = AccessRules { model: vec![rule], ..AccessRules::default() };
        let (model, caller) = (model(), caller(&[("sub", "1"), ("username", "ann")]));
        let filled = Rights::of(&model, &rules, &caller).owners(&sent);
        assert_eq!(filled.get(OWNER), expected.map(Value::from).as_ref());
    };
    check(owner(&BOTH, &Action::ALL), Patch::default(), Some("1::ann"));
    check(owner(&["username"], &[Action::Create]), Patch::default(), Some("ann"));
    check(owner(&["email"], &Action::ALL), Patch::default(), None);
    check(owner(&BOTH, &Action::READ), Patch::default(), None);
    check(owner(&BOTH, &Action::ALL), patch(&[(OWNER, Value::Null)]), None);
    check(owner(&BOTH, &Action::ALL), patch(&[(OWNER, "bob".into())]), None);
    check(rule(Allow::Private, &Action::ALL), Patch::default(), None);
}

#[test]
fn a_field_with_rules_of_its_own_goes_by_them_alone() {
    let mut rules =
        AccessRules { model: vec![owner(&BOTH, &Action::ALL)], ..AccessRules::default() };
    let groups = vec!["payroll".to_owned()];
    let payroll = Allow::Groups { groups, claim: "groups".to_owned() };
    rules.fields.insert(PAY, vec![rule(payroll, &[Action::Update, Action::Get])]);
    let (model, ann) = (model(), caller(&[("sub", "1"), ("username", "ann")]));
    let clerk = caller(&[("sub", "7"), ("groups", "payroll")]);
    let (of_ann, of_clerk) = (Rights::of(&model, &rules, &ann), Rights::of(&model, &rules, &clerk));
    let (stored, pay) = (row("ann"), patch(&[(ID, "s".into()), (PAY, Value::Int(10))]));
    assert!(of_clerk.may_update(&pay, &stored) && !of_ann.may_update(&pay, &stored));
    let more = patch(&[(PAY, Value::Int(10)), (OWNER, "bob".into())]);
    assert!(!of_clerk.may_update(&more, &stored) && !of_ann.may_update(&more, &stored));
    assert!(!of_clerk.may_update(&Patch::default(), &stored));
    assert!(of_ann.may_create(&patch(&[(PAY, Value::Null)]), &stored), "null is left out");
    assert!(!of_ann.may_create(&pay, &stored) && !of_clerk.may_create(&pay, &stored));
    let hidden = |rights: Rights<'_>| rights.sight(Action::Get).hidden(&stored, 3);
    assert_eq!((hidden(of_ann), hidden(of_clerk)), (vec![PAY], vec![ID, OWNER]));
    let (seen, listed) = (of_clerk.sight(Action::Get), of_clerk.sight(Action::List));
    assert!(seen.sees(&stored) && !seen.is_blind() && !listed.sees(&stored));
    assert!(Rights::of(&model, &rules, &Caller::Operator).sight(Action::List).is_clear());
}

#[test]
fn without_rules_good_credentials_do_everything() {
    let (model, rules, key) = (model(), AccessRules::default(), Caller::with_api_key());
    let rights = Rights::of(&model, &rules, &key);
    assert!(rights.are_unlimited() && rights.sight(Action::Sync).is_clear());
    assert!(rights.may_create(&Patch::default(), &row("")) && rights.may_delete(&row("bob")));
}
