use espressync_model::{Entity, FieldId, Key, Patch, Predicate};
use espressync_sync::Write;

/// Writes that are stored together or not at all.
///
/// A sale is one of these: the order and its lines. On the way to the server parents go before
/// children.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Writes(pub(crate) Vec<Write>);

impl Writes {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores an entity: a new record, or the fields in which it differs from the stored one.
    #[must_use]
    pub fn save<E: Entity>(mut self, entity: &E) -> Self {
        self.0.push(Write::Save(E::MODEL, entity.to_row()));
        self
    }

    /// Stores the fields in which `after` differs from `before`, and leaves alone what others
    /// changed meanwhile. Both have the same key, which is `key`.
    #[must_use]
    pub fn update<E: Entity>(mut self, key: &str, before: &E, after: &E) -> Self {
        let patch = Patch::between(&before.to_row(), &after.to_row());
        self.0.push(Write::Update(E::MODEL, Key::from(key), patch, Predicate::All));
        self
    }

    /// Sets fields of a record.
    #[must_use]
    pub fn set<E: Entity>(
        mut self,
        key: &str,
        fields: impl IntoIterator<Item = (FieldId, espressync_model::Value)>,
    ) -> Self {
        let patch = fields.into_iter().collect();
        self.0.push(Write::Update(E::MODEL, Key::from(key), patch, Predicate::All));
        self
    }

    /// Deletes a record.
    #[must_use]
    pub fn delete<E: Entity>(mut self, key: &str) -> Self {
        self.0.push(Write::Delete(E::MODEL, Key::from(key), Predicate::All));
        self
    }

    /// One more write.
    #[must_use]
    pub fn and(mut self, write: Write) -> Self {
        self.0.push(write);
        self
    }
}
