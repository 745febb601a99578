//! Azurite, the storage emulator that Microsoft publishes, on this machine: its account, and the right to use it.
//!
//! Its key is the same for everybody and opens nothing else: <https://learn.microsoft.com/azure/storage/common/storage-use-azurite>,
//! "Well-known storage account and key". Real accounts are never reached by a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The account that every Azurite has.
pub const ACCOUNT: &str = "devstoreaccount1";

const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A right to everything in the account's blobs and queues, as the query of an address. Neither official client signs with an
/// account's key, but both let whoever names a right in the address pass.
/// <https://learn.microsoft.com/rest/api/storageservices/create-account-sas>.
#[must_use]
pub fn right() -> Vec<(String, String)> {
    const VERSION: &str = "2021-06-08";
    const SERVICES: &str = "bq";
    const KINDS: &str = "sco";
    const RIGHTS: &str = "rwdlacup";
    const END: &str = "9999-12-31T00:00:00Z";
    // Empty are: when it begins, from which addresses, by which protocols, which encryption.
    let said = format!("{ACCOUNT}\n{RIGHTS}\n{SERVICES}\n{KINDS}\n\n{END}\n\n\n{VERSION}\n\n");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(KEY).unwrap_or_default());
    let signature = STANDARD.encode(hmac::sign(&key, said.as_bytes()));
    [
        ("sv", VERSION),
        ("ss", SERVICES),
        ("srt", KINDS),
        ("sp", RIGHTS),
        ("se", END),
        ("sig", signature.as_str()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}
