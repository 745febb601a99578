//! An issuer of OpenID Connect tokens on your desk: what Google's is to a function that has to know who calls it.
//!
//! ```text
//! Claims ─► token (RS256) ─────────────► whoever verifies ─► GET /certs ─► the keys in force (a JSON Web Key Set)
//! claims    mint, with a key of keys                         served
//! ```
//! ```
//! use landfall_simulator::tokens::{Claims, Forgery, TokenIssuer};
//! let issuer = TokenIssuer::start()?;
//! let claims = Claims::google("https://function.example", "tasks@acme.iam.gserviceaccount.com");
//! let good = issuer.token(&claims);
//! let late = issuer.token(&claims.clone().expired());
//! let bad = issuer.forged(&claims, Forgery::Unsigned);
//! let keys = issuer.jwks_url(); // where Google has https://www.googleapis.com/oauth2/v3/certs
//! # Ok::<(), landfall_simulator::StartError>(())
//! ```
//! Tokens say what the [`Claims`] say: the issuer stays Google's name in them, whatever the address here. The keys are known to the whole
//! world and prove nothing outside a test.

mod claims;
mod exchange;
mod exchanged;
mod keys;
mod mint;
mod served;

use std::net::{Ipv4Addr, SocketAddr};

pub use claims::{Claims, Forgery, GOOGLE};
pub(crate) use exchange::of_aws;
pub use exchange::{TokenExchange, Trust};

use crate::fault::Faults;
use crate::options::StartError;
use crate::running::Running;
use crate::server::Cloud as _;
use served::Served;

/// A running issuer. The thread and runtime are its own, so that it works the same from blocking and async code.
#[derive(Debug)]
pub struct TokenIssuer {
    running: Running<Served>,
}

impl TokenIssuer {
    /// Starts serving the keys on a free loopback port; when this returns, connections are accepted.
    ///
    /// # Errors
    /// When no port is free or no thread can be started.
    pub fn start() -> Result<Self, StartError> {
        let running = Running::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Served::new)?;
        Ok(Self { running })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// Where the keys are.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        format!("{}/certs", self.url())
    }

    /// A token that says so, signed with the key in force.
    #[must_use]
    pub fn token(&self, claims: &Claims) -> String {
        self.running.cloud.token(claims)
    }

    /// A token that says so, and that nobody may take.
    #[must_use]
    pub fn forged(&self, claims: &Claims, forgery: Forgery) -> String {
        self.running.cloud.forged(claims, forgery)
    }

    /// From now on signs with another key. The old one is still served beside it, and tokens that it signed are still good.
    pub fn rotate(&self) {
        self.running.cloud.rotate();
    }

    /// Serves the key in force alone: tokens that an older one signed are good no more.
    pub fn retire(&self) {
        self.running.cloud.retire();
    }

    /// How often the keys were asked for: whoever verifies keeps them for a while.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.running.cloud.calls().len()
    }

    /// What goes wrong when the keys are asked for.
    pub fn set_faults(&self, faults: Faults) {
        self.running.cloud.set_faults(faults);
    }
}
