use std::collections::BTreeMap;
use std::num::NonZeroU32;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::{Api, Request, document};

impl Api {
    /// How many queries, mutations or subscriptions a request asks for, its fragments written out:
    /// what it counts for where that is limited. One that cannot be read counts for one.
    pub(crate) fn weight(&self, request: &Request) -> NonZeroU32 {
        let known = self.documents.get(&request.query, &request.variables, self.types.registry());
        let name = request.operation_name.as_deref();
        let fields = match known {
            Some(document) => root_fields(&document, name),
            None => parse_query(&request.query).map_or(1, |document| root_fields(&document, name)),
        };
        NonZeroU32::new(fields).unwrap_or(NonZeroU32::MIN)
    }
}

fn root_fields(document: &ExecutableDocument, name: Option<&str>) -> u32 {
    let Ok(operation) = document::choose(&document.operations, name) else { return 1 };
    let mut roots = Roots { document, fragments: BTreeMap::new() };
    roots.of(&operation.selection_set.node)
}

struct Roots<'a> {
    document: &'a ExecutableDocument,
    /// How many fields those fragments have that were looked at.
    fragments: BTreeMap<&'a str, u32>,
}

impl<'a> Roots<'a> {
    fn of(&mut self, set: &'a SelectionSet) -> u32 {
        let mut fields: u32 = 0;
        for item in &set.items {
            fields = fields.saturating_add(match &item.node {
                Selection::Field(_) => 1,
                Selection::InlineFragment(inline) => self.of(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            });
        }
        fields
    }

    fn fragment(&mut self, name: &'a str) -> u32 {
        if let Some(fields) = self.fragments.get(name) {
            return *fields;
        }
        let Some(fragment) = self.document.fragments.get(name) else { return 0 };
        // One that leads back to itself is for the validation to refuse.
        self.fragments.insert(name, 0);
        let fields = self.of(&fragment.node.selection_set.node);
        self.fragments.insert(name, fields);
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_fields_are_counted_through_fragments() {
        let check = |text: &str, name: Option<&str>, expected: u32| {
            assert_eq!(root_fields(&parse_query(text).unwrap(), name), expected, "{text}");
        };
        check("{ a { b c } d: a { e } }", None, 2);
        check("{ a ...f ... on Query { x y } } fragment f on Query { z { q } }", None, 4);
        check("query q { a } query r { a b: a }", Some("r"), 2);
        check("query q { a } query r { a b: a }", None, 1);
        check("{ a ...f } fragment f on Query { b ...f }", None, 2);
        check("{ ...none }", None, 0);
        let fragments = (0..40).map(|n| format!("fragment f{n} on Q {{ ...f{0} ...f{0} }}", n + 1));
        let text =
            format!("{{ ...f0 }} {} fragment f40 on Q {{ x }}", fragments.collect::<String>());
        check(&text, None, u32::MAX);
    }
}
