use super::*;

#[test]
fn names_become_rusts() {
    assert_eq!(snake("lineItemOrderId"), "line_item_order_id");
    assert_eq!(snake("imageURL"), "image_url");
    assert_eq!(snake("type"), "r#type");
    assert_eq!(snake("self"), "self_");
    assert_eq!(constant("createdAt"), "CREATED_AT");
    assert_eq!(variant("FLAT_WHITE"), "FlatWhite");
    assert_eq!(variant("small"), "Small");
}

#[test]
fn a_relation_that_a_field_shares_its_constant_with_has_one_of_its_own() {
    let model = Model::new("Order", "Orders").field(Field::new("line_items", Scalar::Id)).relation(
        "lineItems",
        RelationKind::HasMany,
        crate::ModelId(0),
        vec![FieldId(0)],
    );
    let code = rust(&Schema::new(vec![model]));
    assert!(code.contains("pub const LINE_ITEMS: FieldId = FieldId(0);"), "{code}");
    assert!(code.contains("pub const LINE_ITEMS_RELATION: RelationId = RelationId(0);"), "{code}");
}
