use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Pos, Positioned};

/// The field in which something stands, as AppSync writes it: `listPosts/items/title`. The names
/// begin at the operation, or at the fragment that the field is in.
pub(super) fn field_at(document: &ExecutableDocument, at: Pos) -> Option<String> {
    let operations = document.operations.iter().map(|(_, each)| &each.node.selection_set);
    let fragments = document.fragments.values().map(|each| &each.node.selection_set);
    let mut path = Vec::new();
    let found = operations.chain(fragments).any(|set| search(&set.node, at, &mut path));
    found.then(|| path.join("/"))
}

/// Looks for the place; when it is found, the path leads there.
fn search<'a>(set: &'a SelectionSet, at: Pos, path: &mut Vec<&'a str>) -> bool {
    set.items.iter().any(|Positioned { pos, node }| match node {
        Selection::Field(field) => {
            let field = &field.node;
            path.push(field.name.node.as_str());
            let mut arguments = field.arguments.iter();
            if *pos == at || field.name.pos == at || arguments.any(|(name, _)| name.pos == at) {
                return true;
            }
            let is_below = search(&field.selection_set.node, at, path);
            if !is_below {
                path.pop();
            }
            is_below
        }
        Selection::InlineFragment(fragment) => search(&fragment.node.selection_set.node, at, path),
        Selection::FragmentSpread(_) => false,
    })
}
