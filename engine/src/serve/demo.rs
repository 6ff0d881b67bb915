//! The upstream of mode `demo`: a stand-in within the program, where it was built in.

#[cfg(feature = "standin")]
mod built_in {
    use std::path::Path;

    use linesman_connectors::standin::{self, Standin};
    use linesman_connectors::tls::Trust;
    use linesman_connectors::{Secret, Settings, jss, upstream};
    use linesman_schemas::Mode;

    use crate::serve::Error;

    /// The stand-in, while it runs.
    pub(in crate::serve) struct Upstream(Option<Standin>);

    impl Upstream {
        /// Starts it in mode `demo`, and lets cases go there.
        ///
        /// # Errors
        /// It cannot be started.
        pub(in crate::serve) async fn start(mode: Mode, root: &Path, settings: &mut Settings) -> Result<Self, Error> {
            if mode != Mode::Demo {
                return Ok(Self(None));
            }
            let standin = standin::Settings::new(([127, 0, 0, 1], 0).into(), root.join("standin"));
            let standin = standin::start(standin).await?;
            settings.upstream = Some(upstream::Settings::Jss(jss::Settings {
                way: upstream::Way {
                    url: standin.url(),
                    trust: Trust::Authority(standin.ca_path().to_owned()),
                    user: "demo@example.com".to_owned(),
                    password: Secret::new("demo"),
                    concurrency: upstream::Way::CONCURRENCY,
                    timeout: upstream::Way::TIMEOUT,
                    identity: None,
                    source_address: None,
                    proxy: None,
                    intelligence_poll: upstream::Way::INTELLIGENCE_POLL,
                },
                site_id: "DEMO".to_owned(),
                application_id: "linesman".to_owned(),
                requests_per_hour: jss::Settings::REQUESTS_PER_HOUR,
            }));
            Ok(Self(Some(standin)))
        }

        /// Stops it.
        pub(in crate::serve) async fn stop(self) {
            if let Some(standin) = self.0 {
                standin.shutdown().await;
            }
        }
    }
}

#[cfg(not(feature = "standin"))]
mod built_in {
    use std::path::Path;

    use linesman_connectors::Settings;
    use linesman_schemas::Mode;

    use crate::serve::Error;

    /// Nothing: this build has no stand-in.
    pub(in crate::serve) struct Upstream;

    impl Upstream {
        /// Says in mode `demo` that cases wait.
        ///
        /// # Errors
        /// None.
        pub(in crate::serve) async fn start(mode: Mode, _: &Path, _: &mut Settings) -> Result<Self, Error> {
            if mode == Mode::Demo {
                tracing::warn!("this build has no stand-in: cases of mode `demo` wait");
            }
            Ok(Self)
        }

        /// Stops nothing.
        pub(in crate::serve) async fn stop(self) {}
    }
}

pub(super) use built_in::Upstream;
