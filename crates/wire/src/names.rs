//! The names AppSync gives to a model's operations and inputs (contract 2.1).

use espressync_model::Model;
use espressync_model::remote::Operation;
use md5::{Digest, Md5};

/// The longest name of a subscription; a longer one is cut and told apart by a digest.
const LONGEST_SUBSCRIPTION: usize = 50;
const CUT_AT: usize = 45;

/// `getOrder`.
#[must_use]
pub fn get(model: &Model) -> String {
    format!("get{}", upper_first(&model.name))
}

/// `listOrders`.
#[must_use]
pub fn list(model: &Model) -> String {
    format!("list{}", upper_first(&model.plural))
}

/// `syncOrders`.
#[must_use]
pub fn sync(model: &Model) -> String {
    format!("sync{}", upper_first(&model.plural))
}

/// `createOrder`, `updateOrder`, `deleteOrder`, `undeleteOrder`.
#[must_use]
pub fn mutation(model: &Model, operation: Operation) -> String {
    let verb = match operation {
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
        Operation::Undelete => "undelete",
    };
    format!("{verb}{}", upper_first(&model.name))
}

/// `onCreateOrder`, `onUpdateOrder`, `onDeleteOrder`.
#[must_use]
pub fn subscription(model: &Model, operation: Operation) -> String {
    let name = format!("on{}{}", verb(operation), upper_first(&model.name));
    if name.len() <= LONGEST_SUBSCRIPTION {
        return name;
    }
    // As Amplify's directives digest it.
    name.chars().take(CUT_AT).chain(digest(&name).chars().take(5)).collect()
}

/// `CreateOrderInput`, `UpdateOrderInput`, `DeleteOrderInput`, `UndeleteOrderInput`.
#[must_use]
pub fn input(model: &Model, operation: Operation) -> String {
    format!("{}{}Input", verb(operation), upper_first(&model.name))
}

/// `ModelOrderFilterInput`.
#[must_use]
pub fn filter(model: &Model) -> String {
    format!("Model{}FilterInput", upper_first(&model.name))
}

/// `ModelOrderConditionInput`.
#[must_use]
pub fn condition(model: &Model) -> String {
    format!("Model{}ConditionInput", upper_first(&model.name))
}

/// `ModelSubscriptionOrderFilterInput`.
#[must_use]
pub fn subscription_filter(model: &Model) -> String {
    format!("ModelSubscription{}FilterInput", upper_first(&model.name))
}

/// `ModelOrderConnection`.
#[must_use]
pub fn connection(model: &Model) -> String {
    format!("Model{}Connection", upper_first(&model.name))
}

/// The MD5 of a text in hexadecimal digits.
pub(crate) fn digest(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "Create",
        Operation::Update => "Update",
        Operation::Delete => "Delete",
        Operation::Undelete => "Undelete",
    }
}

fn upper_first(name: &str) -> String {
    // A name in GraphQL is of ASCII letters, digits and underscores.
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_amplifys() {
        let model = Model::new("lineItem", "lineItems");
        assert_eq!(get(&model), "getLineItem");
        assert_eq!(list(&model), "listLineItems");
        assert_eq!(sync(&model), "syncLineItems");
        assert_eq!(mutation(&model, Operation::Update), "updateLineItem");
        assert_eq!(subscription(&model, Operation::Delete), "onDeleteLineItem");
        assert_eq!(input(&model, Operation::Create), "CreateLineItemInput");
        assert_eq!(filter(&model), "ModelLineItemFilterInput");
        assert_eq!(condition(&model), "ModelLineItemConditionInput");
        assert_eq!(subscription_filter(&model), "ModelSubscriptionLineItemFilterInput");
        assert_eq!(connection(&model), "ModelLineItemConnection");
    }

    #[test]
    fn a_long_subscription_name_is_cut_and_digested() {
        let model = Model::new("A".repeat(43), "As");
        let name = subscription(&model, Operation::Create);
        assert_eq!(name.len(), 50);
        assert_eq!(name, format!("onCreate{}e9587", "A".repeat(37)));
    }
}
