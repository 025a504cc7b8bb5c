//! What a careless user may come up with.

use espressync_client::{Target, Write};
use espressync_model::{
    Edit, FieldId, Key, ModelId, Operator, Predicate, Query, RelationId, Row, Value,
};

use crate::naive::{ID, LABEL, LINK, NAME, PRICE, PRODUCT, SHELF, STOCK, TAGS};

pub(crate) struct Random(pub(crate) fastrand::Rng);

impl Random {
    pub(crate) fn once_in(&mut self, count: u32) -> bool {
        self.0.u32(0..count) == 0
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.usize(0..count)
    }

    pub(crate) fn key(&mut self) -> String {
        self.below(5).to_string()
    }

    pub(crate) fn model(&mut self) -> ModelId {
        [SHELF, PRODUCT, LABEL][self.below(3)]
    }

    /// A value that fits a field.
    fn value(&mut self, field: FieldId) -> Value {
        let texts = ["", "a", "ab", "b", "\u{FF5E}", "\u{1F600}"];
        match field {
            ID => self.key().into(),
            _ if self.once_in(6) => Value::Null,
            NAME => texts[self.below(texts.len())].into(),
            LINK => self.key().into(),
            STOCK => self.0.i64(-2..4).into(),
            PRICE => (f64::from(self.0.i32(1..9)) / 4.0).into(),
            _ => {
                let count = self.below(3);
                (0..count).map(|_| ["x", "y"][self.below(2)]).collect::<Vec<_>>().into()
            }
        }
    }

    pub(crate) fn row(&mut self) -> Row {
        let fields = [ID, NAME, LINK, STOCK, PRICE, TAGS];
        let mut values: Vec<Value> = fields.into_iter().map(|field| self.value(field)).collect();
        match self.below(40) {
            0 => values[STOCK.index()] = (1_i64 << 40).into(),
            1 => values[NAME.index()] = 7.into(),
            2 => values[STOCK.index()] = i64::from(i32::MAX).into(),
            _ => {}
        }
        Row::new(values)
    }

    fn operand(&mut self, field: FieldId) -> Value {
        loop {
            let value = self.value(field);
            if !value.is_null() {
                return value;
            }
        }
    }

    fn comparison(&mut self) -> Predicate {
        if self.once_in(8) {
            let operand: Value = ["x", "y"][self.below(2)].into();
            return if self.0.bool() { TAGS.contains(operand) } else { TAGS.not_contains(operand) };
        }
        let field = [ID, NAME, LINK, STOCK, PRICE][self.below(5)];
        let (one, other) = (self.operand(field), self.operand(field));
        let operator = match self.below(12) {
            0 => Operator::Eq(self.value(field)),
            1 => Operator::Ne(self.value(field)),
            2 => Operator::Eq(one),
            3 => Operator::Lt(one),
            4 => Operator::Le(one),
            5 => Operator::Gt(one),
            6 => Operator::Ge(one),
            7 => Operator::Between(one, other),
            8 => Operator::In(vec![one, other]),
            9 => Operator::NotIn(vec![one, other]),
            _ => {
                let start = self.operand(NAME);
                let operators = [
                    Operator::BeginsWith(start.clone()),
                    Operator::Contains(start.clone()),
                    Operator::NotContains(start),
                ];
                return Predicate::Field(NAME, operators[self.below(3)].clone());
            }
        };
        Predicate::Field(field, operator)
    }

    /// A predicate that leads through so many relations at most.
    pub(crate) fn predicate(&mut self, model: ModelId, relations: u32) -> Predicate {
        match self.below(10) {
            0 | 1 => Predicate::All,
            2 => {
                let count = self.below(3);
                Predicate::And((0..count).map(|_| self.predicate(model, relations)).collect())
            }
            3 => {
                let count = self.below(3);
                Predicate::Or((0..count).map(|_| self.predicate(model, relations)).collect())
            }
            4 => !self.predicate(model, relations),
            5 | 6 if relations > 0 => {
                let ways = [
                    (SHELF, 0, PRODUCT),
                    (PRODUCT, 0, LABEL),
                    (PRODUCT, 1, SHELF),
                    (LABEL, 0, PRODUCT),
                ];
                let own: Vec<_> = ways.into_iter().filter(|(of, ..)| *of == model).collect();
                let (_, relation, target) = own[self.below(own.len())];
                RelationId(relation).matches(self.predicate(target, relations - 1))
            }
            _ => self.comparison(),
        }
    }

    fn condition(&mut self, model: ModelId) -> Predicate {
        if self.once_in(3) { self.predicate(model, 0) } else { Predicate::All }
    }

    pub(crate) fn query(&mut self, model: ModelId) -> Query {
        let mut query = Query::filter(self.predicate(model, 2));
        for _ in 0..self.below(3) {
            let field = [ID, NAME, LINK, STOCK, PRICE][self.below(5)];
            query = if self.0.bool() { query.ascending(field) } else { query.descending(field) };
        }
        if self.0.bool() { query.page(self.below(3), 1 + self.below(3)) } else { query }
    }

    fn edit(&mut self) -> Edit {
        let mut edit = Edit::default();
        for _ in 0..self.below(3) {
            let field = [NAME, LINK, STOCK, PRICE, TAGS, ID][self.below(6)];
            if field != ID || self.once_in(10) {
                edit.set.set(field, self.value(field));
            }
        }
        if self.0.bool() {
            edit.add.set(STOCK, self.0.i64(-2..3).into());
        }
        if self.once_in(3) {
            edit.add.set(PRICE, (f64::from(self.0.i32(1..9)) / 4.0).into());
        }
        edit
    }

    pub(crate) fn write(&mut self) -> Write {
        let (model, key) = (self.model(), Key::from(self.key()));
        let condition = self.condition(model);
        match self.below(16) {
            0..7 => Write::Save { model, row: self.row(), condition },
            7..11 => Write::Update { model, key, edit: self.edit(), condition },
            11..13 => Write::Delete { model, target: Target::Record(key, condition) },
            13 => {
                let relations = u32::from(self.once_in(4));
                let predicate = self.predicate(model, relations);
                Write::Delete { model, target: Target::Matching(predicate) }
            }
            _ => Write::Undelete { model, key },
        }
    }
}
