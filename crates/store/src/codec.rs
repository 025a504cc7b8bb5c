//! The log's file format.
//!
//! A record is one byte of format version, four of CRC-32 (little endian, over all that follows),
//! one of kind, and the payload. Numbers are variable-length (seven bits a byte, lowest first),
//! signed ones zigzag; text is its length in bytes and UTF-8; a missing value is a zero byte. A
//! batch begins with the CRC-32 of the layout in whose numbers it is written, as that layout's
//! payload is written.
//! Golden files in `tests/golden` pin every version.

use std::collections::BTreeMap;

use crc::{CRC_32_ISO_HDLC, Crc};
use espressync_model::remote::RemoteErrorKind;
use espressync_model::{FieldId, Key, Meta, ModelId, Record, Row, Schema, Timestamp, Value};

use crate::layout::{TranslatedModel, Translation};
use crate::{
    Attempt, Batch, Cursor, Layout, Pending, PendingField, Rejection, StoreError, StoreErrorKind,
};

/// The version this build writes. It reads this one and all before it.
const FORMAT: u8 = 2;
/// From this version on, outbox entries have additions and undeletes.
const WITH_ADDITIONS: u8 = 2;
/// The checksum of a record, as zlib and Ethernet compute it.
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// Bytes before the checked part: the version and the checksum.
const HEADER: usize = 5;
/// How deep lists and objects may lie in one another, so that a bad record cannot exhaust the
/// stack.
const MAX_DEPTH: u32 = 64;

/// What a log record says.
#[derive(Debug, Clone, PartialEq)]
pub enum LogEntry {
    /// What the numbers in the following batches mean.
    Layout(Layout),
    /// Everything before is void; then as [`LogEntry::Layout`].
    Reset(Layout),
    /// Changes.
    Batch(Batch),
}

/// Writes a log record, a batch's in the numbers of `layout`.
#[must_use]
pub fn encode(entry: &LogEntry, layout: &Layout) -> Vec<u8> {
    match entry {
        LogEntry::Layout(layout) => seal(0, |writer| writer.layout(layout)),
        LogEntry::Reset(layout) => seal(1, |writer| writer.layout(layout)),
        LogEntry::Batch(batch) => encode_batch(batch, layout),
    }
}

/// Writes the log record of a batch in the numbers of `layout`.
pub(crate) fn encode_batch(batch: &Batch, layout: &Layout) -> Vec<u8> {
    seal(2, |writer| {
        writer.0.extend_from_slice(&checksum_of(layout));
        writer.batch(batch);
    })
}

/// By this a batch names the layout in whose numbers it is written.
fn checksum_of(layout: &Layout) -> [u8; 4] {
    let mut writer = Writer(Vec::new());
    writer.layout(layout);
    CRC.checksum(&writer.0).to_le_bytes()
}

/// A record of this kind with its header.
fn seal(kind: u8, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer(vec![FORMAT, 0, 0, 0, 0, kind]);
    write(&mut writer);
    let checksum = CRC.checksum(&writer.0[HEADER..]);
    writer.0[1..HEADER].copy_from_slice(&checksum.to_le_bytes());
    writer.0
}

/// Reads a log record; `layout` is what the log said last. A batch written with another layout is
/// translated into the schema by name: what the schema no longer has is left out, what is new in it
/// is null.
///
/// # Errors
/// [`StoreErrorKind::Newer`] for a record of a later format, [`StoreErrorKind::Corrupt`] for one
/// whose checksum or content is wrong, or whose layout is neither `layout` nor the schema's own: a
/// layout record before it was lost, and its numbers must not be read in another's sense.
pub fn decode(
    bytes: &[u8],
    schema: &Schema,
    layout: Option<&Layout>,
) -> Result<LogEntry, StoreError> {
    let (Some(format), Some(checksum)) = (bytes.first(), bytes.get(1..HEADER)) else {
        return Err(StoreError::corrupt("it is shorter than its header"));
    };
    if *format > FORMAT {
        let message = format!(
            "it has format {format} and this version of the software reads up to {FORMAT}; \
             open it with the newer version"
        );
        return Err(StoreError::new(StoreErrorKind::Newer, message));
    }
    let content = &bytes[HEADER..];
    if CRC.checksum(content).to_le_bytes() != checksum {
        return Err(StoreError::corrupt("its checksum does not fit its content"));
    }
    let mut reader = Reader { rest: content, depth: 0, format: *format };
    match reader.byte()? {
        0 => Ok(LogEntry::Layout(reader.layout()?)),
        1 => Ok(LogEntry::Reset(reader.layout()?)),
        2 => {
            let written_in = reader.take(4)?;
            let fits = |layout: &Layout| checksum_of(layout) == written_in;
            let translation = match layout.filter(|layout| fits(layout)) {
                Some(layout) => layout.translation(schema),
                None => Some(Layout::of(schema))
                    .filter(fits)
                    .ok_or_else(|| StoreError::corrupt("its layout is missing"))?
                    .translation(schema),
            };
            Ok(LogEntry::Batch(reader.batch(&translation)?))
        }
        kind => Err(StoreError::corrupt(format!("it is of unknown kind {kind}"))),
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.byte((number & 0x7f) as u8);
    }

    fn signed(&mut self, number: i64) {
        self.number((number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        for item in items {
            write(self, item);
        }
    }

    fn option<T>(&mut self, option: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.byte(u8::from(option.is_some()));
        if let Some(value) = option {
            write(self, value);
        }
    }

    fn layout(&mut self, layout: &Layout) {
        self.list(&layout.models, |writer, (name, fields)| {
            writer.text(name);
            writer.list(fields, |writer, field| writer.text(field));
        });
    }

    fn batch(&mut self, batch: &Batch) {
        self.list(&batch.records, |writer, (model, key, record)| {
            writer.place(*model, key);
            writer.option(record.as_ref(), Self::record);
        });
        self.list(&batch.outbox, |writer, (model, key, pending)| {
            writer.place(*model, key);
            writer.option(pending.as_ref(), Self::pending);
        });
        self.list(&batch.cursors, |writer, (model, cursor)| {
            writer.number(u64::from(model.0));
            writer.option(cursor.as_ref(), |writer, cursor| {
                writer.signed(cursor.last_sync.0);
                writer.signed(cursor.last_full_sync.0);
            });
        });
    }

    fn place(&mut self, model: ModelId, key: &Key) {
        self.number(u64::from(model.0));
        self.text(key.as_str());
    }

    fn record(&mut self, record: &Record) {
        self.number(record.meta.version);
        self.signed(record.meta.changed_at.0);
        self.byte(u8::from(record.meta.deleted));
        self.list(record.row.values(), Self::value);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(false) => self.byte(1),
            Value::Bool(true) => self.byte(2),
            Value::Int(number) => {
                self.byte(3);
                self.signed(*number);
            }
            Value::Float(number) => {
                self.byte(4);
                self.0.extend_from_slice(&number.to_le_bytes());
            }
            Value::Text(text) => {
                self.byte(5);
                self.text(text);
            }
            Value::List(elements) => {
                self.byte(6);
                self.list(elements, Self::value);
            }
            Value::Object(fields) => {
                self.byte(7);
                self.list(fields, Self::value);
            }
        }
    }

    fn pending(&mut self, pending: &Pending) {
        self.number(pending.sequence);
        self.option(pending.base.as_ref(), Self::record);
        self.number(pending.fields.len() as u64);
        for (field, pending) in &pending.fields {
            self.number(u64::from(field.0));
            self.value(&pending.value);
            self.list(&pending.earlier, Self::value);
        }
        self.byte(u8::from(pending.is_delete));
        self.byte(u8::from(pending.is_attempted));
        self.byte(pending.unheeded);
        self.option(pending.rejection.as_ref(), |writer, rejection| {
            writer.byte(kind_to_byte(rejection.kind));
            writer.text(&rejection.message);
        });
        self.byte(u8::from(pending.is_undelete));
        self.number(pending.additions.len() as u64);
        for (field, amount) in &pending.additions {
            self.number(u64::from(field.0));
            self.value(amount);
        }
        self.option(pending.attempt.as_ref(), |writer, attempt| {
            writer.number(attempt.once);
            writer.number(attempt.version);
            writer.number(attempt.additions.len() as u64);
            for (field, (from, amount)) in &attempt.additions {
                writer.number(u64::from(field.0));
                writer.value(from);
                writer.value(amount);
            }
        });
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    depth: u32,
    format: u8,
}

type Read<T> = Result<T, StoreError>;

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| StoreError::corrupt("it ends in the middle"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Read<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn flag(&mut self) -> Read<bool> {
        self.byte().map(|byte| byte != 0)
    }

    fn number(&mut self) -> Read<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(StoreError::corrupt("a number in it is too long"))
    }

    fn signed(&mut self) -> Read<i64> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn index(&mut self) -> Read<usize> {
        usize::try_from(self.number()?).map_err(|_| StoreError::corrupt("a count is too large"))
    }

    fn text(&mut self) -> Read<&'a str> {
        let length = self.index()?;
        std::str::from_utf8(self.take(length)?)
            .map_err(|_| StoreError::corrupt("a text in it is not UTF-8"))
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = self.index()?;
        // No element is shorter than a byte, so a lying count reserves no more than the record.
        let mut items = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    fn layout(&mut self) -> Read<Layout> {
        let models = self.list(|reader| {
            let name = reader.text()?.to_owned();
            let fields = reader.list(|reader| reader.text().map(ToOwned::to_owned))?;
            Ok((name, fields))
        })?;
        Ok(Layout { models })
    }

    fn batch(&mut self, translation: &Translation) -> Read<Batch> {
        let records = self.list(|reader| {
            let (model, key) = reader.place(translation)?;
            let record = reader.option(|reader| reader.record(model))?;
            Ok(model.map(|model| (model.id, key, record)))
        })?;
        let outbox = self.list(|reader| {
            let (model, key) = reader.place(translation)?;
            let pending = reader.option(|reader| reader.pending(model))?;
            Ok(model.map(|model| (model.id, key, pending)))
        })?;
        let cursors = self.list(|reader| {
            let model = translation.model(reader.index()?);
            let cursor = reader.option(|reader| {
                let last_sync = Timestamp(reader.signed()?);
                let last_full_sync = Timestamp(reader.signed()?);
                Ok(Cursor { last_sync, last_full_sync })
            })?;
            Ok(model.map(|model| (model.id, cursor)))
        })?;
        Ok(Batch {
            records: records.into_iter().flatten().collect(),
            outbox: outbox.into_iter().flatten().collect(),
            cursors: cursors.into_iter().flatten().collect(),
        })
    }

    fn place<'t>(
        &mut self,
        translation: &'t Translation,
    ) -> Read<(Option<&'t TranslatedModel>, Key)> {
        let position = self.index()?;
        let key = Key::from(self.text()?);
        Ok((translation.model(position), key))
    }

    fn record(&mut self, model: Option<&TranslatedModel>) -> Read<Record> {
        let version = self.number()?;
        let changed_at = Timestamp(self.signed()?);
        let deleted = self.flag()?;
        let written = self.list(Self::value)?;
        let mut values = vec![Value::Null; model.map_or(0, |model| model.width)];
        for (position, value) in written.into_iter().enumerate() {
            if let Some(field) = model.and_then(|model| model.field(position)) {
                values[field.index()] = value;
            }
        }
        Ok(Record { row: Row::new(values), meta: Meta { version, changed_at, deleted } })
    }

    fn value(&mut self) -> Read<Value> {
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(self.signed()?),
            4 => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(self.take(8)?);
                Value::Float(f64::from_le_bytes(bytes))
            }
            5 => Value::from(self.text()?),
            6 => Value::List(self.nested()?.into()),
            7 => Value::Object(self.nested()?.into()),
            tag => return Err(StoreError::corrupt(format!("a value has unknown type {tag}"))),
        })
    }

    fn nested(&mut self) -> Read<Vec<Value>> {
        if self.depth == MAX_DEPTH {
            return Err(StoreError::corrupt("its lists are nested too deep"));
        }
        self.depth += 1;
        let values = self.list(Self::value);
        self.depth -= 1;
        values
    }

    fn pending(&mut self, model: Option<&TranslatedModel>) -> Read<Pending> {
        let sequence = self.number()?;
        let base = self.option(|reader| reader.record(model))?;
        let by_field = self.by_field(model, |reader| {
            let value = reader.value()?;
            Ok(PendingField { value, earlier: reader.list(Self::value)? })
        })?;
        let is_delete = self.flag()?;
        let is_attempted = self.flag()?;
        let unheeded = self.byte()?;
        let rejection = self.option(|reader| {
            let kind = kind_from_byte(reader.byte()?);
            Ok(Rejection { kind, message: reader.text()?.to_owned() })
        })?;
        let mut pending = Pending {
            sequence,
            base,
            fields: by_field,
            additions: BTreeMap::new(),
            attempt: None,
            is_delete,
            is_undelete: false,
            is_attempted,
            unheeded,
            rejection,
        };
        if self.format >= WITH_ADDITIONS {
            pending.is_undelete = self.flag()?;
            pending.additions = self.by_field(model, Self::value)?;
            pending.attempt = self.option(|reader| {
                let (once, version) = (reader.number()?, reader.number()?);
                let pair = |reader: &mut Self| Ok((reader.value()?, reader.value()?));
                Ok(Attempt { once, version, additions: reader.by_field(model, pair)? })
            })?;
        }
        Ok(pending)
    }

    /// What is said of fields, less those that the schema has lost.
    fn by_field<T>(
        &mut self,
        model: Option<&TranslatedModel>,
        mut read: impl FnMut(&mut Self) -> Read<T>,
    ) -> Read<BTreeMap<FieldId, T>> {
        let mut by_field = BTreeMap::new();
        for _ in 0..self.index()? {
            let position = self.index()?;
            let value = read(self)?;
            if let Some(field) = model.and_then(|model| model.field(position)) {
                by_field.insert(field, value);
            }
        }
        Ok(by_field)
    }
}

/// The kinds of rejection with their numbers on disk, which never change their meaning.
const KINDS: [(RemoteErrorKind, u8); 4] = [
    (RemoteErrorKind::Invalid, 0),
    (RemoteErrorKind::Unauthorized, 1),
    (RemoteErrorKind::Conflict, 2),
    (RemoteErrorKind::ConditionFailed, 3),
];

fn kind_to_byte(kind: RemoteErrorKind) -> u8 {
    KINDS.iter().find(|(known, _)| *known == kind).map_or(0, |(_, byte)| *byte)
}

fn kind_from_byte(byte: u8) -> RemoteErrorKind {
    let found = KINDS.iter().find(|(_, known)| *known == byte);
    found.map_or(RemoteErrorKind::Invalid, |(kind, _)| *kind)
}
