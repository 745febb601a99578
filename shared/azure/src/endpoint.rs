//! Which of Microsoft's clouds, and where its services are.

use azure_core::http::Url;
use landfall_engine::here;

use crate::error::{ConfigError, tidy};

/// One of Microsoft's clouds: the public one, and those that are apart from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cloud {
    authority: &'static str,
    resource_manager: &'static str,
    storage: &'static str,
}

impl Cloud {
    /// Source: <https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure>, and the same of China.
    pub(crate) const PUBLIC: Cloud = Cloud {
        authority: "https://login.microsoftonline.com",
        resource_manager: "https://management.azure.com",
        storage: "core.windows.net",
    };
    const GOVERNMENT: Cloud = Cloud {
        authority: "https://login.microsoftonline.us",
        resource_manager: "https://management.usgovcloudapi.net",
        storage: "core.usgovcloudapi.net",
    };
    const CHINA: Cloud = Cloud {
        authority: "https://login.chinacloudapi.cn",
        resource_manager: "https://management.chinacloudapi.cn",
        storage: "core.chinacloudapi.cn",
    };

    /// By the authority that tokens come from, as the SDKs are told it; the public one where nobody says.
    pub(crate) fn of(authority: Option<&str>) -> Result<Self, ConfigError> {
        let Some(authority) = authority else { return Ok(Cloud::PUBLIC) };
        let host = authority.trim_end_matches('/');
        // The SDKs know China's authority by two names.
        let host =
            if host == "https://login.partner.microsoftonline.cn" { Cloud::CHINA.authority } else { host };
        [Cloud::PUBLIC, Cloud::GOVERNMENT, Cloud::CHINA]
            .into_iter()
            .find(|cloud| cloud.authority == host)
            .ok_or_else(|| ConfigError::Authority(tidy(authority)))
    }

    /// Where Resource Manager is, which is also whom its tokens are for.
    pub(crate) const fn resource_manager(self) -> &'static str {
        self.resource_manager
    }

    /// How the hosts of storage accounts end.
    pub(crate) const fn storage(self) -> &'static str {
        self.storage
    }
}

/// An address on this machine, as requests name it: with TLS, which the loopback transport takes away.
pub(crate) fn loopback(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    let wrong = || ConfigError::NotLoopback { variable, text: tidy(text) };
    let mut url = on_this_machine(variable, text)?;
    // A port is always said: without TLS the usual one would be another.
    let port = url.port_or_known_default().ok_or_else(wrong)?;
    url.set_scheme("https").map_err(|()| wrong())?;
    url.set_port(Some(port)).map_err(|()| wrong())?;
    Ok(url)
}

/// `http://127.0.0.1:PORT` and nothing more; the environment's `variable` said it.
pub(crate) fn on_this_machine(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    here::on_this_machine(text).ok_or_else(|| ConfigError::NotLoopback { variable, text: tidy(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_says_which_cloud() {
        assert_eq!(Cloud::of(None).unwrap(), Cloud::PUBLIC);
        let table = [
            ("https://login.microsoftonline.com/", "https://management.azure.com"),
            ("https://login.microsoftonline.us", "https://management.usgovcloudapi.net"),
            ("https://login.partner.microsoftonline.cn/", "https://management.chinacloudapi.cn"),
        ];
        for (authority, expected) in table {
            assert_eq!(Cloud::of(Some(authority)).unwrap().resource_manager(), expected);
        }
        assert!(Cloud::of(Some("https://login.evil.example")).is_err());
    }

    #[test]
    fn only_this_machine_stands_in_for_resource_manager() {
        assert_eq!(loopback("X", "http://127.0.0.1:8080").unwrap().as_str(), "https://127.0.0.1:8080/");
        assert_eq!(loopback("X", "http://localhost:8080/").unwrap().as_str(), "https://localhost:8080/");
        for wrong in [
            "",
            "127.0.0.1:80",
            "https://127.0.0.1:8080",
            "http://management.azure.com",
            "http://127.0.0.1.evil.example:80",
            "http://a:b@127.0.0.1:80",
            "http://127.0.0.1:80/path",
        ] {
            assert!(loopback("X", wrong).is_err(), "{wrong}");
        }
    }
}
