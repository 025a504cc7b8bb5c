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
