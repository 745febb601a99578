//! The changes at one address. Each costs only itself where it fails; but what is taken away last waits for all that is taken away before,
//! so that an address is not forgotten while something of ours is left there.

use serde_json::Value;

use landfall_model::observed::Address;
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

pub(super) struct Drafts<'a> {
    pub(super) address: &'a Address,
    pub(super) stage: Stage,
    /// What they wait for.
    pub(super) behind: Vec<ChangeId>,
    /// How many tenants they reach.
    pub(super) reaches: Option<u32>,
    pub(super) changes: Vec<Change>,
}

/// One change.
pub(super) struct Draft<'a> {
    pub(super) verb: &'static str,
    pub(super) name: &'a str,
    pub(super) deed: Deed,
    pub(super) why: String,
    pub(super) before: Option<Value>,
    pub(super) after: Value,
    /// What the write is told.
    pub(super) order: Value,
}

impl<'a> Drafts<'a> {
    pub(super) const fn new(address: &'a Address, stage: Stage) -> Self {
        Drafts { address, stage, behind: Vec::new(), reaches: None, changes: Vec::new() }
    }

    /// Adds a change, which waits for those that are named as well; answers its name.
    pub(super) fn add(&mut self, draft: Draft<'_>, waits: impl IntoIterator<Item = ChangeId>) -> ChangeId {
        let Draft { verb, name, deed, why, before, after, order } = draft;
        let mut change = Change::new(self.address, &format!("{verb}-{name}"), deed, why)
            .before(before)
            .after(after)
            .with(order)
            .at(self.stage);
        let before = self.changes.iter().rfind(|change| change.deed == Deed::Delete);
        change.needs = match before.filter(|_| deed == Deed::Delete) {
            Some(last) => vec![last.id.clone()],
            None => self.behind.clone(),
        };
        change.needs.extend(waits);
        change.reaches = self.reaches;
        change.loses = deed == Deed::Delete;
        let id = change.id.clone();
        self.changes.push(change);
        id
    }

    /// All of them. The address counts as unmade only with the last of ours that was there.
    pub(super) fn all(mut self, something_stays: bool) -> Vec<Change> {
        let last = self.changes.iter().rposition(|change| change.deed == Deed::Delete);
        for (at, change) in self.changes.iter_mut().enumerate() {
            if change.deed == Deed::Delete && (something_stays || Some(at) != last) {
                change.deed = Deed::Update;
            }
        }
        self.changes
    }
}
