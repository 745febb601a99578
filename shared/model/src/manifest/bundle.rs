//! The manifest as functions load it: one canonical JSON document, and its digest.
//!
//! Canonical means: keys sorted, no white space, lists in which order means nothing sorted by `parse`. The same manifest is
//! the same bytes, whoever builds it and wherever.

use super::Manifest;
use super::parse::VERSION;
use crate::id::Digest;

/// A manifest with the bytes that say it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    manifest: Manifest,
    bytes: Vec<u8>,
    digest: Digest,
}

/// Why some bytes are no bundle that this program acts on.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// They are not JSON.
    #[error("the bundle is not JSON: write it again with `landfall build`")]
    NotJson(#[source] serde_json::Error),
    /// They do not say their version.
    #[error("the bundle does not say its version under `landfall`: write it again with `landfall build`")]
    NoVersion,
    /// They are of another version.
    #[error(
        "the bundle is of version {found} and this program reads version {VERSION}: write it again with the `landfall build` of the release that runs here"
    )]
    OtherVersion {
        /// What they say.
        found: u64,
    },
    /// They say something that a manifest does not, or not all that one does.
    #[error(
        "the bundle does not hold a manifest as this program reads it: write it again with the `landfall build` of the release that runs here"
    )]
    NotAManifest(#[source] serde_json::Error),
    /// They say a manifest in other bytes than ours.
    #[error(
        "the bundle is not in canonical form, so it was changed after `landfall build` wrote it: write it again, and sign it again"
    )]
    NotCanonical,
    /// The manifest can't be written as JSON.
    #[error("the manifest could not be written as JSON")]
    NotWritable(#[source] serde_json::Error),
}

impl Bundle {
    /// Writes a manifest in its canonical form.
    pub fn build(manifest: Manifest) -> Result<Bundle, BundleError> {
        let bytes = canonical(&manifest).map_err(BundleError::NotWritable)?;
        let digest = Digest::of(&bytes);
        Ok(Bundle { manifest, bytes, digest })
    }

    /// Reads what `build` wrote, and nothing else: another version, an unknown key, a key given twice or other white space is
    /// refused, so that two readers can't understand one bundle differently.
    pub fn load(bytes: &[u8]) -> Result<Bundle, BundleError> {
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(BundleError::NotJson)?;
        match value.get("landfall").and_then(serde_json::Value::as_u64) {
            Some(found) if found == u64::from(VERSION) => {}
            Some(found) => return Err(BundleError::OtherVersion { found }),
            None => return Err(BundleError::NoVersion),
        }
        let manifest = serde_json::from_value(value).map_err(BundleError::NotAManifest)?;
        let bundle = Bundle::build(manifest)?;
        if bundle.bytes == bytes { Ok(bundle) } else { Err(BundleError::NotCanonical) }
    }

    /// What it says.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it says, without the bytes.
    pub fn into_manifest(self) -> Manifest {
        self.manifest
    }

    /// The document itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 of the document.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// The canonical JSON of a value.
pub(super) fn canonical<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    // INVARIANT: serde_json sorts the keys of a Value unless its feature `preserve_order` is on; a test asserts that it is not.
    serde_json::to_vec(&serde_json::to_value(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Source;
    use crate::manifest::parse::parse;

    fn bundle(files: &[(&str, &str)]) -> Bundle {
        let sources: Vec<Source> = files
            .iter()
            .map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() })
            .collect();
        let parsed = parse(&sources, jiff::civil::date(2026, 11, 21));
        let said: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
        Bundle::build(parsed.manifest.unwrap_or_else(|| panic!("{}", said.join("\n")))).unwrap()
    }

    fn acme() -> Bundle {
        bundle(&[("acme.yaml", include_str!("parse/fixtures/acme.yaml"))])
    }

    fn text(bundle: &Bundle) -> String {
        String::from_utf8(bundle.bytes().to_vec()).unwrap()
    }

    #[test]
    fn json_keys_are_sorted() {
        let value = serde_json::json!({ "b": 1, "a": { "d": 2, "c": 3 } });
        assert_eq!(value.to_string(), r#"{"a":{"c":3,"d":2},"b":1}"#, "is serde_json's preserve_order on?");
    }

    #[test]
    fn what_is_built_is_what_is_loaded() {
        let built = acme();
        let loaded = Bundle::load(built.bytes()).unwrap();
        assert_eq!(loaded, built);
        assert_eq!(loaded.digest(), &Digest::of(built.bytes()));
    }

    #[test]
    fn order_of_keys_files_and_lists_leaves_no_trace() {
        let one = "landfall: 1\norganization: acme\nenvironments: [a, b]\nclouds:\n  aws: { organization: o-a1b2c3d4e5, management-account: \"111111111111\", home-region: eu-central-1, regions: [eu-central-1, eu-west-1] }\n";
        let two = "controls:\n  x: { control: allowed-regions, with: { aws: [a, b] }, satisfies: [s/1, s/2] }\n  y: { control: root-mfa }\nlanding-zones: { z: { version: 1, controls: [x, y] } }\nunits: { u: { landing-zone: z }, v: {} }\n";
        let shuffled = "environments: [a, b]\nunits: { v: {}, u: { landing-zone: z } }\nclouds:\n  aws: { regions: [eu-west-1, eu-central-1], home-region: eu-central-1, management-account: \"111111111111\", organization: o-a1b2c3d4e5 }\nlanding-zones: { z: { controls: [y, x], version: 1 } }\norganization: acme\n";
        let rest = "controls:\n  y: { control: root-mfa }\n  x: { satisfies: [s/2, s/1], with: { aws: [b, a] }, control: allowed-regions }\nlandfall: 1\n";
        let expected = text(&bundle(&[("one.yaml", one), ("two.yaml", two)]));
        assert_eq!(text(&bundle(&[("two.yaml", two), ("one.yaml", one)])), expected);
        assert_eq!(text(&bundle(&[("a.yaml", shuffled), ("b.yaml", rest)])), expected);
        assert_eq!(text(&bundle(&[("b.yaml", shuffled), ("a.yaml", rest)])), expected);
    }

    #[test]
    fn bytes_that_nobody_built_are_refused_with_what_to_do() {
        let built = text(&acme());
        type Expected = fn(&BundleError) -> bool;
        let table: [(&str, String, Expected); 7] = [
            ("not JSON", built.replacen('{', "", 1), |e| matches!(e, BundleError::NotJson(_))),
            ("no version", built.replace("\"landfall\":1,", ""), |e| matches!(e, BundleError::NoVersion)),
            ("another version", built.replace("\"landfall\":1,", "\"landfall\":2,"), |e| {
                matches!(e, BundleError::OtherVersion { found: 2 })
            }),
            ("an unknown key", built.replacen('{', "{\"backdoor\":true,", 1), |e| {
                matches!(e, BundleError::NotAManifest(_))
            }),
            ("a missing key", built.replace("\"limits\":", "\"limit\":"), |e| {
                matches!(e, BundleError::NotAManifest(_))
            }),
            ("white space", format!("{built}\n"), |e| matches!(e, BundleError::NotCanonical)),
            ("a key given twice", built.replace("\"landfall\":1,", "\"landfall\":1,\"landfall\":1,"), |e| {
                matches!(e, BundleError::NotCanonical)
            }),
        ];
        for (what, bytes, expected) in table {
            let error = Bundle::load(bytes.as_bytes()).unwrap_err();
            assert!(expected(&error), "{what}: {error:?}");
            assert!(error.to_string().contains("landfall build"), "{what}: {error}");
        }
    }
}
