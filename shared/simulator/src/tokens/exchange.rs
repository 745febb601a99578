//! What lets a function of one cloud into another: the place where it gets a token of its own cloud, and the three token services that
//! exchange such a token for a right. They let in whom they were told to trust, by issuer, subject and audience, and nobody else.

use std::net::{Ipv4Addr, SocketAddr};

use super::exchanged::Exchanged;
use crate::call::Call;
use crate::options::StartError;
use crate::running::Running;
use crate::server::Cloud as _;

/// Whom one token service lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// What is opened: a role's ARN, a workload identity provider's name, or `<directory>/<client>`.
    pub whom: String,
    /// Who has to have issued the token.
    pub issuer: String,
    /// Who has to be its bearer.
    pub subject: String,
    /// For whom it has to be made.
    pub audience: String,
}

/// A running one. The thread and runtime are its own, so that it works the same from blocking and async code.
///
/// On loopback it has, as a function's own host has it:
/// - `/msi/token`, what `IDENTITY_ENDPOINT` is on Azure, for the header [`TokenExchange::IDENTITY_HEADER`];
/// - `/computeMetadata/v1/…/identity`, what the metadata server is on Google Cloud;
///
/// and below folders with the hosts' names the token services of AWS, Google and Microsoft.
#[derive(Debug)]
pub struct TokenExchange {
    running: Running<Exchanged>,
}

impl TokenExchange {
    /// What Azure's host wants to see before it gives a token.
    pub const IDENTITY_HEADER: &'static str = "simulated";
    /// Who issues tokens of AWS's own: one host for each account.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html>
    pub const AWS: &'static str = "https://00000000-1111-4222-8333-444444444444.tokens.sts.global.api.aws";
    /// Who issues tokens of a directory's managed identities.
    pub const AZURE: &'static str = "https://sts.windows.net/5a0e0000-0000-4000-8000-0000000000dd/";
    /// The identity that tokens of Azure's host are of.
    pub const AZURE_SUBJECT: &'static str = "5a0e0000-0000-4000-8000-0000000000f1";
    /// The service account that tokens of Google's host are of.
    pub const GCP_SUBJECT: &'static str = "100000000000000000001";

    /// Starts with whom it trusts, on a free loopback port; when this returns, connections are accepted.
    ///
    /// # Errors
    /// When no port is free or no thread can be started.
    pub fn start(trusts: Vec<Trust>) -> Result<Self, StartError> {
        let running = Running::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |_| Exchanged::new(trusts))?;
        Ok(Self { running })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// Every request, in order; tokens are not among the parameters.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.running.cloud.calls()
    }

    /// Whether this bearer token is one that was given out.
    #[must_use]
    pub fn gave(&self, bearer: &str) -> bool {
        self.running.cloud.gave(bearer)
    }
}

/// A token of AWS's own, as `sts:GetWebIdentityToken` gives it: for a role's session.
pub(crate) fn of_aws(role: &str, audience: &str, seconds: i64) -> Option<String> {
    Exchanged::mint_alone(TokenExchange::AWS, role, audience, seconds)
}
