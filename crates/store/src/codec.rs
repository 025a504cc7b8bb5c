//! The log's file format.
//!
//! A record is one byte of format version, four of CRC-32 (little endian, over all that follows),
//! one of kind, and the payload. Numbers are variable-length (seven bits a byte, lowest first),
//! signed ones zigzag; text is its length in bytes and UTF-8; a missing value is a zero byte. A
//! batch begins with the CRC-32 of the layout in whose numbers it is written, as that layout's
//! payload is written. Before format 3, layouts were names only.
//! Golden files in `tests/golden` pin every version.

use std::collections::BTreeMap;

use crc::{CRC_32_ISO_HDLC, Crc};
use espressync_model::remote::RemoteErrorKind;
use espressync_model::{
    BaseType, EnumId, EnumType, Field, FieldId, Key, Meta, ModelId, ObjectId, ObjectType, Record,
    Row, Scalar, Schema, Timestamp, Value,
};

use crate::layout::LaidModel;
use crate::migrate::{TranslatedModel, Translation};
use crate::{
    Attempt, Batch, Cursor, Layout, Pending, PendingField, Rejection, StoreError, StoreErrorKind,
};

/// The version this build writes. It reads this one and all before it.
const FORMAT: u8 = 3;
/// From this version on, outbox entries have additions and undeletes.
const WITH_ADDITIONS: u8 = 2;
/// From this version on, layouts have types.
const WITH_TYPES: u8 = 3;
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
        LogEntry::Batch(batch) => encode_batch(batch, &Numbering::new(layout.clone())),
    }
}

/// Writes the log record of a batch in the numbers of a layout.
pub(crate) fn encode_batch(batch: &Batch, numbering: &Numbering) -> Vec<u8> {
    seal(2, |writer| {
        writer.0.extend_from_slice(&numbering.checksum);
        writer.batch(batch);
    })
}

/// A layout with what batches name it by.
#[derive(Debug, Clone)]
pub(crate) struct Numbering {
    pub(crate) layout: Layout,
    checksum: [u8; 4],
    /// The checksum before layouts had types.
    of_names: [u8; 4],
}

impl Numbering {
    pub(crate) fn new(layout: Layout) -> Self {
        let checksum = |write: &dyn Fn(&mut Writer)| {
            let mut writer = Writer(Vec::new());
            write(&mut writer);
            CRC.checksum(&writer.0).to_le_bytes()
        };
        Self {
            checksum: checksum(&|writer| writer.layout(&layout)),
            of_names: checksum(&|writer| writer.names(&layout)),
            layout,
        }
    }

    fn names(&self, format: u8, written_in: &[u8]) -> bool {
        let known = if format < WITH_TYPES { self.of_names } else { self.checksum };
        known == written_in
    }
}

/// In whose sense a log is read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// The schema's own layout.
    pub(crate) own: Numbering,
    from_own: Translation,
    /// What the log said last, and from there to the schema.
    current: Option<(Numbering, Translation)>,
}

impl Reading {
    /// Of a log that has said nothing yet.
    pub(crate) fn new(schema: &Schema) -> Self {
        let own = Layout::of(schema);
        let from_own = Translation::new(&own, &[], schema);
        Self { own: Numbering::new(own), from_own, current: None }
    }

    /// What the log said last.
    pub(crate) fn layout(&self) -> Option<&Layout> {
        self.current.as_ref().map(|(numbering, _)| &numbering.layout)
    }

    /// Goes on in another layout, after which these come.
    pub(crate) fn turn_to(&mut self, layout: Layout, next: &[&Layout], schema: &Schema) {
        let translation = Translation::new(&layout, next, schema);
        self.current = Some((Numbering::new(layout), translation));
    }

    fn translation(&self, format: u8, written_in: &[u8]) -> Option<(&Layout, &Translation)> {
        let current = self.current.as_ref().map(|(numbering, to)| (numbering, to));
        let mut known = current.into_iter().chain([(&self.own, &self.from_own)]);
        let found = known.find(|(numbering, _)| numbering.names(format, written_in));
        found.map(|(numbering, translation)| (&numbering.layout, translation))
    }
}

/// The entry of a log record, with what waits or waited for records of models that are gone.
pub(crate) type Decoded = (LogEntry, Vec<Orphan>);

/// A record of a model that is gone, and whether a change to it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Orphan {
    pub(crate) model: String,
    pub(crate) key: Key,
    pub(crate) waits: bool,
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
    let mut reading = Reading::new(schema);
    if let Some(layout) = layout {
        reading.turn_to(layout.clone(), &[], schema);
    }
    decode_as(bytes, &reading).map(|(entry, _)| entry)
}

/// The layout that a log record says, if it says one.
pub(crate) fn layout_in(bytes: &[u8]) -> Option<Layout> {
    let is_layout = bytes.get(HEADER).is_some_and(|kind| *kind < 2);
    let entry = is_layout.then(|| content_of(bytes).and_then(Reader::entry));
    match entry?.ok()? {
        LogEntry::Layout(layout) | LogEntry::Reset(layout) => Some(layout),
        LogEntry::Batch(_) => None,
    }
}

/// As [`decode`], for a log of which much is read.
pub(crate) fn decode_as(bytes: &[u8], reading: &Reading) -> Result<Decoded, StoreError> {
    let mut reader = content_of(bytes)?;
    if reader.rest.first() != Some(&2) {
        return Ok((reader.entry()?, Vec::new()));
    }
    let (_, written_in) = (reader.byte()?, reader.take(4)?);
    let (layout, translation) = reading
        .translation(reader.format, written_in)
        .ok_or_else(|| StoreError::corrupt("its layout is missing"))?;
    let mut orphans = Vec::new();
    let batch = reader.batch(layout, translation, &mut orphans)?;
    Ok((LogEntry::Batch(batch), orphans))
}

fn content_of(bytes: &[u8]) -> Read<Reader<'_>> {
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
    Ok(Reader { rest: content, depth: 0, format: *format })
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
        self.list(&layout.models, |writer, model| {
            writer.text(&model.name);
            writer.list(&model.formerly, |writer, name| writer.text(name));
            writer.list(&model.key, |writer, field| writer.number(u64::from(field.0)));
            writer.list(&model.fields, Self::field);
        });
        self.list(&layout.objects, |writer, object| {
            writer.text(&object.name);
            writer.list(&object.fields, Self::field);
        });
        self.list(&layout.enums, |writer, kind| {
            writer.text(&kind.name);
            writer.list(&kind.values, |writer, value| writer.text(value));
        });
        self.byte(u8::from(layout.is_typed));
    }

    fn field(&mut self, field: &Field) {
        self.text(&field.name);
        self.list(&field.formerly, |writer, name| writer.text(name));
        match field.base {
            BaseType::Scalar(scalar) => {
                self.byte(0);
                self.text(scalar.name());
            }
            BaseType::Enum(id) => {
                self.byte(1);
                self.number(u64::from(id.0));
            }
            BaseType::Object(id) => {
                self.byte(2);
                self.number(u64::from(id.0));
            }
        }
        let flags =
            [field.is_list, field.is_required, field.is_element_required, field.is_read_only];
        self.byte(flags.iter().rev().fold(0, |flags, flag| flags << 1 | u8::from(*flag)));
        self.option(field.default.as_ref(), Self::value);
    }

    /// A layout as it was written before it had types.
    fn names(&mut self, layout: &Layout) {
        self.list(&layout.models, |writer, model| {
            writer.text(&model.name);
            writer.list(&model.fields, |writer, field| writer.text(&field.name));
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

    /// A record that is no batch.
    fn entry(mut self) -> Read<LogEntry> {
        match self.byte()? {
            0 => Ok(LogEntry::Layout(self.layout()?)),
            1 => Ok(LogEntry::Reset(self.layout()?)),
            kind => Err(StoreError::corrupt(format!("it is of unknown kind {kind}"))),
        }
    }

    fn layout(&mut self) -> Read<Layout> {
        if self.format < WITH_TYPES {
            let models = self.list(|reader| {
                let name = reader.text()?.to_owned();
                Ok((name, reader.texts()?))
            });
            return models.map(Layout::of_names);
        }
        let models = self.list(|reader| {
            let name = reader.text()?.to_owned();
            let formerly = reader.texts()?;
            let key = reader.list(|reader| reader.position().map(FieldId))?;
            Ok(LaidModel { name, formerly, key, fields: reader.list(Self::field)? })
        })?;
        let objects = self.list(|reader| {
            let name = reader.text()?.to_owned();
            Ok(ObjectType { name, fields: reader.list(Self::field)? })
        })?;
        let enums = self.list(|reader| {
            let name = reader.text()?.to_owned();
            Ok(EnumType { name, values: reader.texts()? })
        })?;
        Ok(Layout { models, objects, enums, is_typed: self.flag()? })
    }

    fn field(&mut self) -> Read<Field> {
        let name = self.text()?.to_owned();
        let formerly = self.texts()?;
        let base = match self.byte()? {
            0 => {
                let name = self.text()?;
                let scalar = Scalar::named(name).map(BaseType::Scalar);
                scalar.ok_or_else(|| StoreError::corrupt(format!("it has a scalar `{name}`")))?
            }
            1 => BaseType::Enum(EnumId(self.position()?)),
            2 => BaseType::Object(ObjectId(self.position()?)),
            kind => return Err(StoreError::corrupt(format!("a field is of unknown kind {kind}"))),
        };
        let flags = self.byte()?;
        let is = |bit: u8| flags & 1 << bit != 0;
        Ok(Field {
            name,
            base,
            is_list: is(0),
            is_required: is(1),
            is_element_required: is(2),
            is_read_only: is(3),
            default: self.option(Self::value)?,
            formerly,
        })
    }

    fn position(&mut self) -> Read<u16> {
        let number = self.number()?;
        u16::try_from(number).map_err(|_| StoreError::corrupt("a position is too large"))
    }

    fn texts(&mut self) -> Read<Vec<String>> {
        self.list(|reader| reader.text().map(ToOwned::to_owned))
    }

    fn batch(
        &mut self,
        layout: &Layout,
        translation: &Translation,
        orphans: &mut Vec<Orphan>,
    ) -> Read<Batch> {
        let records = self.list(|reader| {
            let (_, model, key) = reader.place(translation)?;
            let record = reader.option(|reader| reader.record(model, translation))?;
            Ok(model.map(|model| (model.id, key, record)))
        })?;
        let outbox = self.list(|reader| {
            let (position, model, key) = reader.place(translation)?;
            let pending = reader.option(|reader| reader.pending(model, translation))?;
            if let (None, Some(lost)) = (model, layout.models.get(position)) {
                let (model, waits) = (lost.name.clone(), pending.is_some());
                orphans.push(Orphan { model, key: key.clone(), waits });
            }
            Ok(model.map(|model| (model.id, key, pending.flatten())))
        })?;
        let cursors = self.list(|reader| {
            let model = translation.at(reader.index()?);
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
    ) -> Read<(usize, Option<&'t TranslatedModel>, Key)> {
        let position = self.index()?;
        let key = Key::from(self.text()?);
        Ok((position, translation.at(position), key))
    }

    fn record(
        &mut self,
        model: Option<&TranslatedModel>,
        translation: &Translation,
    ) -> Read<Record> {
        let version = self.number()?;
        let changed_at = Timestamp(self.signed()?);
        let deleted = self.flag()?;
        let written = self.list(Self::value)?;
        let mut values = model.map_or_else(Vec::new, |model| model.blank.clone());
        for (position, value) in written.into_iter().enumerate() {
            let Some(model) = model else { break };
            if let Some(field) = Translation::place(model, position) {
                values[field.index()] = translation.value(model, position, value);
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

    /// What waits for a record; `None` where all of it was for fields that are gone.
    fn pending(
        &mut self,
        model: Option<&TranslatedModel>,
        translation: &Translation,
    ) -> Read<Option<Pending>> {
        let sequence = self.number()?;
        let base = self.option(|reader| reader.record(model, translation))?;
        let fit = |position, value| match model {
            Some(model) => translation.value(model, position, value),
            None => value,
        };
        let mut is_lost = false;
        let by_field = self.by_field(model, &mut is_lost, |reader, position| {
            let value = fit(position, reader.value()?);
            let earlier = reader.list(|reader| Ok(fit(position, reader.value()?)))?;
            Ok(PendingField { value, earlier })
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
            let amount = |reader: &mut Self, position| {
                let amount = reader.value()?;
                Ok(raised(&fit, position, amount))
            };
            pending.additions = self.by_field(model, &mut is_lost, amount)?;
            pending.attempt = self.option(|reader| {
                let (once, version) = (reader.number()?, reader.number()?);
                let pair =
                    |reader: &mut Self, at| Ok((fit(at, reader.value()?), amount(reader, at)?));
                let additions = reader.by_field(model, &mut is_lost, pair)?;
                Ok(Attempt { once, version, additions })
            })?;
        }
        if let Some(model) = model {
            translation.settle(model, &mut pending);
        }
        Ok((!(is_lost && pending.is_idle())).then_some(pending))
    }

    /// What is said of fields, less those that the schema has lost.
    fn by_field<T>(
        &mut self,
        model: Option<&TranslatedModel>,
        is_lost: &mut bool,
        read: impl Fn(&mut Self, usize) -> Read<T>,
    ) -> Read<BTreeMap<FieldId, T>> {
        let mut by_field = BTreeMap::new();
        for _ in 0..self.index()? {
            let position = self.index()?;
            let value = read(self, position)?;
            match model.and_then(|model| Translation::place(model, position)) {
                Some(field) => drop(by_field.insert(field, value)),
                None => *is_lost = true,
            }
        }
        Ok(by_field)
    }
}

/// What is added to a number that has become a fraction is one too; a text's stays a number, from
/// which the sum is made.
fn raised(fit: &impl Fn(usize, Value) -> Value, position: usize, amount: Value) -> Value {
    let raised = fit(position, amount.clone());
    if is_number(&raised) { raised } else { amount }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_))
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
