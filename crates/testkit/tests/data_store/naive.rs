//! A data store as anyone would think of it: a list of rows, looked through from end to end. It
//! shares nothing with the real one but how two values compare.

use std::cmp::Ordering;

use espressync_client::{Target, Write};
use espressync_model::{
    Direction, Edit, FieldId, ModelId, OnDelete, Operator, Predicate, Query, RelationId, Row, Value,
};

pub(crate) const SHELF: ModelId = ModelId(0);
pub(crate) const PRODUCT: ModelId = ModelId(1);
pub(crate) const LABEL: ModelId = ModelId(2);

pub(crate) const ID: FieldId = FieldId(0);
pub(crate) const NAME: FieldId = FieldId(1);
pub(crate) const LINK: FieldId = FieldId(2);
pub(crate) const STOCK: FieldId = FieldId(3);
pub(crate) const PRICE: FieldId = FieldId(4);
pub(crate) const TAGS: FieldId = FieldId(5);

/// A record, live or a tombstone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) model: ModelId,
    pub(crate) key: String,
    pub(crate) values: Vec<Value>,
    pub(crate) is_deleted: bool,
    /// Whether the server has it, so that its deletion leaves a trace.
    pub(crate) is_known: bool,
    /// When its key was first seen, among those of its model.
    pub(crate) place: u32,
}

impl Kept {
    fn text(&self, field: FieldId) -> &str {
        self.values[field.index()].as_text().unwrap_or_default()
    }
}

/// What every delete of a shelf or product does to what is on it.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) on_delete: [OnDelete; 2],
    /// Whether a label cannot be without its product.
    pub(crate) is_label_bound: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Naive {
    pub(crate) rules: Rules,
    pub(crate) rows: Vec<Kept>,
    /// The keys that the current batch wrote, in the order in which it first did.
    touched: Vec<(ModelId, String)>,
    next_place: [u32; 3],
}

impl Naive {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, rows: Vec::new(), touched: Vec::new(), next_place: [0; 3] }
    }

    /// Adds a record as the server sent it.
    pub(crate) fn receive(&mut self, model: ModelId, values: &[Value]) {
        let place = self.take_place(model);
        let key = values[0].as_text().unwrap_or_default().to_owned();
        let values = values.to_vec();
        self.rows.push(Kept { model, key, values, is_deleted: false, is_known: true, place });
    }

    fn take_place(&mut self, model: ModelId) -> u32 {
        let next = &mut self.next_place[model.index()];
        *next += 1;
        *next - 1
    }

    /// Makes runs of writes, each all or none, and says which were taken.
    pub(crate) fn batch(&mut self, runs: &[Vec<Write>]) -> Vec<bool> {
        let before = self.clone();
        let mut taken = Vec::new();
        for writes in runs {
            let mut trial = self.clone();
            let is_taken = writes.iter().all(|write| trial.write(write).is_some());
            if is_taken {
                *self = trial;
            }
            taken.push(is_taken);
        }
        let mut touched = std::mem::take(&mut self.touched);
        let mut seen = Vec::new();
        touched.retain(|it| {
            !seen.contains(it) && {
                seen.push(it.clone());
                true
            }
        });
        for (model, key) in touched {
            if self.any(model, &key).is_none() {
                continue;
            }
            let place = match before.any(model, &key) {
                Some(kept) => kept.place,
                None => self.take_place(model),
            };
            let row = self.rows.iter_mut().find(|it| it.model == model && it.key == key);
            row.expect("it was just found").place = place;
        }
        taken
    }

    fn any(&self, model: ModelId, key: &str) -> Option<&Kept> {
        self.rows.iter().find(|it| it.model == model && it.key == key)
    }

    pub(crate) fn live(&self, model: ModelId, key: &str) -> Option<&Kept> {
        self.any(model, key).filter(|it| !it.is_deleted)
    }

    /// The live records in the order in which their keys were first seen.
    pub(crate) fn all(&self, model: ModelId) -> Vec<&Kept> {
        let live = self.rows.iter().filter(|it| it.model == model && !it.is_deleted);
        let mut live: Vec<&Kept> = live.collect();
        live.sort_by_key(|it| it.place);
        live
    }

    fn put(&mut self, kept: Kept) {
        self.touched.push((kept.model, kept.key.clone()));
        self.rows.retain(|it| (it.model, &it.key) != (kept.model, &kept.key));
        self.rows.push(kept);
    }

    fn write(&mut self, write: &Write) -> Option<()> {
        match write {
            Write::Save { model, row, condition } => self.save(*model, row, condition),
            Write::Update { model, key, edit, condition } => {
                self.update(*model, key.as_str(), edit, condition)
            }
            Write::Delete { model, target: Target::Record(key, condition) } => {
                let kept = self.live(*model, key.as_str())?;
                let is_met = !condition.asks_relations() && self.holds(condition, kept);
                if is_met { self.delete(*model, key.as_str()) } else { None }
            }
            Write::Delete { model, target: Target::Matching(predicate) } => {
                if predicate.asks_relations() {
                    return None;
                }
                let all = self.all(*model);
                let matching = all.into_iter().filter(|it| self.holds(predicate, it));
                let keys: Vec<String> = matching.map(|it| it.key.clone()).collect();
                keys.iter().try_for_each(|key| self.delete(*model, key))
            }
            Write::Undelete { model, key } => {
                let kept = self.any(*model, key.as_str())?.clone();
                self.put(Kept { is_deleted: false, ..kept });
                Some(())
            }
        }
    }

    fn save(&mut self, model: ModelId, row: &Row, condition: &Predicate) -> Option<()> {
        let values = row.values().to_vec();
        let key = values[0].as_text()?.to_owned();
        let before = self.any(model, &key).cloned();
        if let Some(before) = &before {
            let is_met = !before.is_deleted && self.holds(condition, before);
            if !is_met {
                return None;
            }
        }
        let is_linked = before.as_ref().is_some_and(|it| it.values[2] == values[2]);
        let is_known = before.is_some_and(|it| it.is_known);
        let kept = Kept { model, key, values, is_deleted: false, is_known, place: 0 };
        self.fits(&kept, is_linked).then(|| self.put(kept))
    }

    fn update(&mut self, model: ModelId, key: &str, edit: &Edit, when: &Predicate) -> Option<()> {
        let before = self.live(model, key)?.clone();
        if !self.holds(when, &before) {
            return None;
        }
        let mut kept = before.clone();
        for (field, value) in edit.set.iter() {
            if field == ID {
                return None;
            }
            kept.values[field.index()] = value.clone();
        }
        for (field, amount) in edit.add.iter() {
            let value = &mut kept.values[field.index()];
            *value = match (&*value, amount) {
                (_, Value::Int(0)) => value.clone(),
                (Value::Null, amount) => amount.clone(),
                (Value::Int(a), Value::Int(b)) => Value::Int(a + b),
                (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
                _ => return None,
            };
        }
        let is_linked = before.values[2] == kept.values[2];
        self.fits(&kept, is_linked).then(|| self.put(kept))
    }

    /// Whether a record may be: its values are of their types and its product is there.
    fn fits(&self, kept: &Kept, is_linked: bool) -> bool {
        let stock = &kept.values[STOCK.index()];
        let is_small = |number: &i64| i32::try_from(*number).is_ok();
        let is_int = matches!(stock, Value::Int(number) if is_small(number)) || stock.is_null();
        let is_name = matches!(kept.values[NAME.index()], Value::Null | Value::Text(_));
        let is_bound = kept.model == LABEL && self.rules.is_label_bound;
        let has_parent = is_linked || self.live(PRODUCT, kept.text(LINK)).is_some();
        let has_link = !kept.values[LINK.index()].is_null();
        is_int && is_name && (!is_bound || (has_link && has_parent))
    }

    /// Deletes a record after what is on it.
    fn delete(&mut self, model: ModelId, key: &str) -> Option<()> {
        let Some(kept) = self.live(model, key).cloned() else { return Some(()) };
        let children = self.children(&kept);
        let choice = self.rules.on_delete.get(model.index()).filter(|_| !children.is_empty());
        match choice {
            None => {}
            Some(OnDelete::Restrict) => return None,
            Some(OnDelete::Cascade) => {
                children.iter().try_for_each(|it| self.delete(it.model, &it.key))?;
            }
            Some(OnDelete::SetNull) => {
                if children[0].model == LABEL && self.rules.is_label_bound {
                    return None;
                }
                for mut child in children {
                    child.values[LINK.index()] = Value::Null;
                    self.put(child);
                }
            }
        }
        if kept.is_known {
            self.put(Kept { is_deleted: true, ..kept });
        } else {
            self.touched.push((model, key.to_owned()));
            self.rows.retain(|it| (it.model, it.key.as_str()) != (model, key));
        }
        Some(())
    }

    fn children(&self, kept: &Kept) -> Vec<Kept> {
        let of = ModelId(kept.model.0 + 1);
        self.all(of).into_iter().filter(|it| it.text(LINK) == kept.key).cloned().collect()
    }

    pub(crate) fn holds(&self, predicate: &Predicate, kept: &Kept) -> bool {
        match predicate {
            Predicate::All => true,
            Predicate::Field(field, operator) => operates(operator, &kept.values[field.index()]),
            Predicate::And(parts) => parts.iter().all(|part| self.holds(part, kept)),
            Predicate::Or(parts) => parts.iter().any(|part| self.holds(part, kept)),
            Predicate::Not(part) => !self.holds(part, kept),
            Predicate::Related(RelationId(0), part) if kept.model != LABEL => {
                self.children(kept).iter().any(|child| self.holds(part, child))
            }
            Predicate::Related(_, part) => {
                let parent = self.live(ModelId(kept.model.0 - 1), kept.text(LINK));
                parent.is_some_and(|parent| self.holds(part, parent))
            }
        }
    }

    /// What a query finds.
    pub(crate) fn answer(&self, model: ModelId, query: &Query) -> Vec<Row> {
        let all = self.all(model).into_iter();
        let mut found: Vec<&Kept> = all.filter(|it| self.holds(&query.predicate, it)).collect();
        found.sort_by(|a, b| by_keys(query, &a.values, b));
        if let Some(after) = &query.after {
            let place = self.any(model, after.key.as_str()).map_or(after.place, |it| it.place);
            let mut last = vec![Value::Null; 6];
            for (sort, value) in query.sort.iter().zip(&after.values) {
                last[sort.field.index()] = value.clone();
            }
            found.retain(|it| by_keys(query, &last, it).then(place.cmp(&it.place)).is_lt());
        }
        if let Some(page) = query.page {
            found = found.into_iter().skip(page.number * page.limit).take(page.limit).collect();
        }
        found.into_iter().map(|it| Row::new(it.values.clone())).collect()
    }
}

fn by_keys(query: &Query, one: &[Value], other: &Kept) -> Ordering {
    for sort in &query.sort {
        let field = sort.field.index();
        let order = one[field].sort_order(&other.values[field]);
        let order = if sort.direction == Direction::Ascending { order } else { order.reverse() };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn operates(operator: &Operator, value: &Value) -> bool {
    let has = |operand: &Value| match (value, operand) {
        (Value::List(elements), _) => elements.iter().any(|it| it.same(operand)),
        (Value::Text(text), Value::Text(part)) => text.contains(&**part),
        _ => false,
    };
    match operator {
        Operator::Eq(operand) => value.same(operand),
        Operator::Ne(operand) => !value.same(operand),
        Operator::Lt(operand) => value.order(operand) == Some(Ordering::Less),
        Operator::Gt(operand) => value.order(operand) == Some(Ordering::Greater),
        Operator::Le(operand) => {
            matches!(value.order(operand), Some(Ordering::Less | Ordering::Equal))
        }
        Operator::Ge(operand) => {
            matches!(value.order(operand), Some(Ordering::Greater | Ordering::Equal))
        }
        Operator::Between(low, high) => {
            operates(&Operator::Ge(low.clone()), value)
                && operates(&Operator::Le(high.clone()), value)
        }
        Operator::BeginsWith(start) => {
            let (text, start) = (value.as_text(), start.as_text().unwrap_or_default());
            text.is_some_and(|text| text.starts_with(start))
        }
        Operator::Contains(operand) => has(operand),
        Operator::NotContains(operand) => !has(operand),
        Operator::In(operands) => operands.iter().any(|operand| value.same(operand)),
        Operator::NotIn(operands) => !operands.iter().any(|operand| value.same(operand)),
    }
}
