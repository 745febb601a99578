//! Dated, owned, scoped acceptances: the finding stays visible, with its exemption beside it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::catalog::ControlKind;
use crate::id::TenantId;

/// Why a deviation is accepted; the two words are Azure's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The risk is accepted.
    Waiver,
    /// Something else stands in for the control.
    Mitigated,
}

/// One accepted deviation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exemption {
    /// The control that need not hold.
    pub control: ControlKind,
    /// The tenant it need not hold in.
    pub tenant: TenantId,
    /// Why it is accepted, in one word.
    pub category: Category,
    /// Why it is accepted.
    pub reason: String,
    /// Who asked.
    pub requested_by: String,
    /// Who agreed; somebody else.
    pub approved_by: String,
    /// The last day on which it holds, in UTC.
    pub expires: Date,
}

impl Exemption {
    /// Whether it still holds on this day.
    pub fn holds(&self, today: Date) -> bool {
        today <= self.expires
    }
}
