//! Who a request says it is from, and for what it is signed.

use landfall_engine::scripted::Seen;

pub(super) trait Signature {
    /// `region/service` of the signature.
    fn scope(&self) -> String;
    /// The access key's id.
    fn key(&self) -> String;
}

impl Signature for Seen {
    fn scope(&self) -> String {
        credential(self).split('/').skip(2).take(2).collect::<Vec<_>>().join("/")
    }

    fn key(&self) -> String {
        credential(self).split('/').next().unwrap_or_default().to_owned()
    }
}

fn credential(seen: &Seen) -> String {
    let (_, rest) = seen.header("authorization").split_once("Credential=").unwrap();
    rest.split(',').next().unwrap().to_owned()
}
