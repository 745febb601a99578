//! `encrypt-by-default` on Azure: built-in policies on encryption at the host and on disk encryption sets, row Z28.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::encrypt_by_default::Settings;

pub(super) struct EncryptByDefault;

impl Carried for EncryptByDefault {
    const KIND: ControlKind = ControlKind::EncryptByDefault;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}
