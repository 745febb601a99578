//! AWS accounts: client, identity, tenants and one file per control.
