//! Taking over what another software kept, on a storage.

use std::rc::Rc;

use espressync_client::{ClientError, Import, SyncError, Taken, take_over};
use espressync_model::{Field, Meta, Model, ModelId, Record, Row, Scalar, Schema, Timestamp};
use espressync_store::{LogPosition, MemoryStorage, Storage, Store};
use futures::executor::block_on;

const PRODUCT: ModelId = ModelId(0);

fn schema() -> Rc<Schema> {
    let product = Model::new("Product", "Products").field(Field::new("id", Scalar::Id).required());
    Rc::new(Schema::new(vec![product]))
}

fn import(ids: &[&str]) -> Import {
    let record = |id: &&str| {
        let meta = Meta { version: 1, changed_at: Timestamp(7), deleted: false };
        (PRODUCT, Record { row: Row::new(vec![(*id).into()]), meta })
    };
    Import { records: ids.iter().map(record).collect(), ..Import::default() }
}

#[test]
fn an_import_is_stored_once_and_found_again() {
    let storage = MemoryStorage::new();
    let take = |ids: &[&str]| block_on(take_over(schema(), &storage, import(ids)));
    let records = [("Product".to_owned(), 2)].into_iter().collect();
    let taken = Taken { records, waiting: 0, was_here: false };
    assert_eq!(take(&["a", "b"]), Ok(taken.clone()));
    let length = block_on(storage.load_after(LogPosition(0))).unwrap().len();
    assert_eq!(length, 2, "a layout and one batch");
    assert_eq!(take(&["a", "b"]), Ok(Taken { was_here: true, ..taken }));
    let refused = Err(ClientError::Write(SyncError::NotEmpty { count: 2 }));
    assert_eq!(take(&["a", "b", "c"]), refused);
    assert_eq!(block_on(storage.load_after(LogPosition(0))).unwrap().len(), length);
    let (store, _) = Store::open(schema(), storage.contents()).unwrap();
    assert_eq!(store.live_count(PRODUCT), 2);
}
