//! `encrypt-by-default` on Google Cloud: the constraints gcp.restrictNonCmekServices and gcp.restrictCmekCryptoKeyProjects, rows G7 and G29.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::encrypt_by_default::Settings;

pub(super) struct EncryptByDefault;

impl Carried for EncryptByDefault {
    const KIND: ControlKind = ControlKind::EncryptByDefault;

    type Want = Settings;

    fn unasked(&self, want: &Settings) -> Option<&'static str> {
        let key = want.key.as_ref().is_some_and(|key| key.starts_with("projects/"));
        (!key).then_some("everything is encrypted at rest, and no key of Cloud KMS is named")
    }
}
